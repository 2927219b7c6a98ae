/**
 * Links of a built site: each leads to a file that is there, and each fragment to an element of it. Other sites are not asked.
 */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, posix } from 'node:path';

/** What was looked at. */
export interface Links {
  readonly pages: number;
  readonly links: number;
  /** One line each. */
  readonly dead: readonly string[];
}

/** Looks at every page below a folder. `base` is what the addresses of the site begin with. */
export async function deadLinks(folder: string, base = process.env.SITE_BASE ?? '/'): Promise<Links> {
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll('\\', '/'));
  const pages = new Map<string, string>();
  for (const name of names.filter((one) => one.endsWith('.html'))) pages.set(name, await readFile(join(folder, name), 'utf8'));
  return linksOf(pages, new Set(names), base);
}

/** The same for texts. */
export function linksOf(pages: ReadonlyMap<string, string>, files: ReadonlySet<string>, base: string): Links {
  const dead: string[] = [];
  let links = 0;
  const ids = new Map<string, ReadonlySet<string>>();
  for (const [name, text] of pages) ids.set(name, new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => plain(id!))));
  for (const [name, text] of pages) {
    for (const [, raw] of text.matchAll(/<(?:a|img|link|script)\s[^>]*?(?:href|src)="([^"]*)"/g)) {
      const target = plain(raw!);
      if (/^([a-z]+:|\/\/)/.test(target)) continue;
      links++;
      const problem = problemOf(name, target);
      if (problem !== undefined) dead.push(`${name}: ${target} ${problem}`);
    }
  }
  return { pages: pages.size, links, dead };

  function problemOf(from: string, target: string): string | undefined {
    const [path = '', fragment = ''] = decodeURI(target).split('#');
    if (path.startsWith('/') && !path.startsWith(base)) return `does not begin with ${base}`;
    const place = path.startsWith('/') ? path.slice(base.length) : posix.join('/', posix.dirname(from), path).slice(1);
    const file = path === '' ? from : place === '' || place.endsWith('/') ? `${place}index.html` : place;
    const found = [file, ...(extname(file) === '.html' ? [] : [`${file}.html`])].find((one) => files.has(one));
    if (found === undefined) return 'is not there';
    if (fragment !== '' && ids.get(found)?.has(fragment) === false) return `has no such place in ${found}`;
    return undefined;
  }
}

function plain(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
