/**
 * The order of the documents: start, drivers, when it hangs, reference; evidence apart. Every page of this folder has one place in it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A page: its name without `.md`, and what it is called in a list. */
export type Entry = readonly [page: string, title: string];

/** A group of pages. */
export interface Group {
  readonly title: string;
  readonly pages: readonly Entry[];
}

/** Pages in `package/` are made of files beside this folder; see pages.ts. */
export const ORDER: readonly Group[] = [
  {
    title: 'Start',
    pages: [
      ['index', 'In ten seconds'],
      ['package/readme', 'In ten minutes'],
      ['recipes', 'Recipes'],
      ['coming-from', 'Coming from …'],
      ['choosing', 'lookup, or by hand'],
      ['package/examples', 'Examples'],
    ],
  },
  {
    title: 'Drivers',
    pages: [
      ['keyed', 'Caches, and anything with keys'],
      ['query', 'Query clients'],
      ['bytes', 'Files and URLs'],
      ['bytes-adapters', 'Readers of formats'],
      ['mirror', 'Pages of your own'],
      ['rows', 'Rows'],
      ['threads', 'Worker threads'],
      ['redis', 'Several processes'],
      ['interval-tree', 'The interval tree'],
    ],
  },
  {
    title: 'When it hangs',
    pages: [
      ['waiting', 'It hangs, it retries'],
      ['debugging', 'Waits that never end'],
      ['tracing', 'A picture of a run'],
      ['testing', 'Testing your own code'],
      ['exploring', 'Every order of steps'],
    ],
  },
  {
    title: 'Reference',
    pages: [
      ['contract', 'The contract'],
      ['sizing', 'Memory and the history'],
      ['package/api/index', 'Every entry, every name'],
      ['platforms', 'Platforms'],
      ['redis-protocol', 'The protocol over Redis'],
      ['threads-protocol', 'The protocol of threads'],
      ['package/changelog', 'Changes'],
      ['package/contributing', 'Contributing'],
      ['package/security', 'Security'],
    ],
  },
  {
    title: 'Evidence',
    pages: [
      ['benchmarks', 'Benchmarks'],
      ['comparison', 'Four rules for readers'],
      ['demo', 'A real file'],
      ['performance', 'Goals, met and missed'],
      ['mutation', 'What tests cannot see'],
    ],
  },
];

/** The folder of the documents. */
export const DOCS: string = fileURLToPath(new URL('..', import.meta.url));

/** Documents that have no place in the order. */
export function forgotten(): string[] {
  const known = new Set(ORDER.flatMap(({ pages }) => pages.map(([page]) => `${page}.md`)));
  return readdirSync(DOCS).filter((name) => name.endsWith('.md') && !known.has(name));
}

/** What VitePress shows at the left: of what there is. */
export function sidebar(): { text: string; collapsed?: boolean; items: { text: string; link: string }[] }[] {
  return ORDER.map(({ title, pages }) => ({
    text: title,
    items: pages
      .filter(([page]) => page.startsWith('package/') || existsSync(`${DOCS}/${page}.md`))
      .map(([page, text]) => ({ text, link: `/${page.replace(/(^|\/)index$/, '$1')}` })),
  }));
}
