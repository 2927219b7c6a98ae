/**
 * Pages that are made, into `docs/package/`, which is not in git: README, changelog and the others that lie at the top of the repository,
 * with links that fit; one page of all examples; and TypeDoc's pages of the API.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCS = join(ROOT, 'docs');
const TEXTS = ['README', 'CHANGELOG', 'CONTRIBUTING', 'SECURITY'];

/** A text of the top of the repository as a page of `package/`: the same links, from there. What is no page there is plain text. */
export function moved(text: string, pages: ReadonlySet<string>): string {
  return text.replace(/\[([^\][]*(?:\[[^\]]*\][^\][]*)*)\]\(([^()\s]+)\)/g, (whole, words: string, target: string) => {
    if (/^([a-z]+:|#)/.test(target)) return whole;
    const [file = '', fragment] = target.split('#');
    const example = /^examples\/([\w-]+)\.mjs$/.exec(file)?.[1];
    if (example !== undefined) return `[${words}](examples.md#${example}mjs)`;
    const name = file.replace(/\.md$/, '');
    const place = TEXTS.includes(name) ? `${name.toLowerCase()}.md` : posix.relative('docs/package', file);
    if (place.startsWith('../../') || (place.startsWith('..') && !pages.has(place.slice(3)))) return words;
    return `[${words}](${place}${fragment === undefined ? '' : `#${fragment}`})`;
  });
}

async function texts(): Promise<void> {
  const pages = new Set(await readdir(DOCS, { recursive: true }));
  for (const name of TEXTS) {
    const text = await readFile(join(ROOT, `${name}.md`), 'utf8');
    await writeFile(join(DOCS, 'package', `${name.toLowerCase()}.md`), moved(text, pages));
  }
}

async function examples(): Promise<void> {
  const folder = join(ROOT, 'examples');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const parts = names.map(async (name) => `## ${name}\n\n\`\`\`js\n${await readFile(join(folder, name), 'utf8')}\`\`\`\n`);
  const head = '# Examples\n\nEach runs with plain Node after `npm install rangefence`, and is a test, too.\n';
  await writeFile(join(DOCS, 'package/examples.md'), [head, ...(await Promise.all(parts))].join('\n'));
}

/** By the settings of `npm run docs:api`, as Markdown. */
async function api(): Promise<void> {
  const { typedocOptions } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const options = {
    ...typedocOptions,
    entryPoints: typedocOptions.entryPoints.map((path: string) => join(ROOT, path)),
    tsconfig: join(ROOT, typedocOptions.tsconfig),
    ...{ out: join(DOCS, 'package/api'), plugin: ['typedoc-plugin-markdown'], entryFileName: 'index', readme: 'none' },
    ...{ name: 'Every entry, every name', hideBreadcrumbs: true, hidePageHeader: true, useHTMLEncodedBrackets: true },
    ...{ skipErrorChecking: true, logLevel: 'Error', sanitizeComments: true },
  };
  const path = join(DOCS, 'package/typedoc.json');
  await writeFile(path, JSON.stringify(options));
  try {
    await promisify(execFile)(process.execPath, [join(DOCS, 'node_modules/typedoc/bin/typedoc'), '--options', path], {
      cwd: DOCS,
    });
  } finally {
    await rm(path);
  }
}

/** Makes all of them anew. */
export async function makePages(): Promise<void> {
  await rm(join(DOCS, 'package'), { recursive: true, force: true });
  await mkdir(join(DOCS, 'package'), { recursive: true });
  await Promise.all([texts(), examples(), api()]);
}
