/**
 * The site: the documents of this folder in their order, TypeDoc's pages of the API, and the live demo on the first page.
 * `npm run site` builds it, `npm run site:dev` serves it while something is written.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { sidebar } from './order.js';

export default defineConfig({
  lang: 'en',
  title: 'rangefence',
  description: 'No stale caches, no torn reads: repeats exactly those asynchronous reads that a change has overtaken',
  // Where the site is not at the top of its host.
  base: process.env.SITE_BASE ?? '/',
  cleanUrls: true,
  // `npm run docs:api` leaves pages there that need no site, with copies of these documents beside them.
  srcExclude: ['api/**'],
  markdown: {
    // Headings are called as the usual renderers of Markdown call them, so a link fits here and there.
    anchor: {
      slugify: (head) =>
        head
          .trim()
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      // The programs of examples/ have one page, which is made of them.
      md.core.ruler.push('examples', ({ tokens }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const name = /^\.\.\/examples\/([\w-]+)\.mjs$/.exec(token.attrGet('href') ?? '')?.[1];
          if (name !== undefined) token.attrSet('href', `./package/examples.md#${name}mjs`);
        }
      });
      // Two braces in a text are braces, not a template.
      for (const name of ['text', 'code_inline']) {
        const rule = md.renderer.rules[name]!;
        md.renderer.rules[name] = (...given) => rule(...given).replaceAll('{{', '&#123;&#123;');
      }
    },
  },
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  themeConfig: {
    nav: [
      { text: 'Start', link: '/package/readme' },
      { text: 'Recipes', link: '/recipes' },
      { text: 'It hangs, it retries', link: '/waiting' },
      { text: 'API', link: '/package/api/' },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
  },
  vite: {
    build: { target: 'es2022', chunkSizeWarningLimit: 2_000 },
    server: { fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] } },
  },
});
