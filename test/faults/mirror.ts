/**
 * Faults of the mirror; see faults.ts.
 */
import type { Fault } from './faults.js';

const EXAMPLES = 'test/mirror/mirror.test.ts';
const MODEL = 'test/mirror/mirror.model.test.ts';
const RACE = 'test/mirror/mirror.race.test.ts';
const CYCLES = 'test/mirror/cycles.test.ts';
const CONTEXTS = 'test/bytes/contexts.test.ts';

/** Wrong behaviour of `RangeMirror`, one at a time. */
export const MIRROR_FAULTS: readonly Fault[] = [
  {
    name: 'a reader joins a load that a section has hit',
    file: 'mirror/run.ts',
    find: '    this.#pager.loading.delete(index);\n    for',
    replace: '    for',
    first: [EXAMPLES],
  },
  {
    name: 'a page that was hit while it was loading is installed: nothing is retried',
    file: 'mirror/run.ts',
    find: 'entries.push(isFresh(this.first + i) ?',
    replace: 'entries.push(isFresh !== undefined ?',
    first: [RACE],
  },
  {
    name: 'a begin drops one page too few',
    file: 'mirror/pager.ts',
    find: 'this.table.take(from, to)',
    replace: 'this.table.take(from, to - 1)',
    first: [MODEL],
  },
  {
    name: 'a begin drops the pages whose start it covers, and not the one that it cuts',
    file: 'mirror/pager.ts',
    find: 'const from = Math.floor(start / pageSize);',
    replace: 'const from = Math.ceil(start / pageSize);',
    first: [MODEL],
  },
  {
    name: 'a page dropped between its installation and the end of the read is handed out',
    file: 'mirror/page-read.ts',
    find: 'if (slot.valid || !this.#keeps) continue;',
    replace: 'continue;',
    first: [RACE],
  },
  {
    name: 'a hit makes a read get all its pages again',
    file: 'mirror/run.ts',
    find: 'if (!read.lost(this, index)) continue;',
    replace: 'for (let i = this.first; i < this.first + this.count; i++) read.lost(this, i);',
    first: [EXAMPLES],
  },
  {
    name: 'what a load has observed is not looked back at',
    file: 'mirror/run.ts',
    find: 'if (this.observed.collides(this.token))',
    replace: 'if (this.over)',
    first: [MODEL],
  },
  {
    name: 'a page outlives what it was derived from',
    file: 'mirror/observed.ts',
    find: 'return this.#pager.dropAll([...this.#entries], section);',
    replace: 'return section.active ? undefined : undefined;',
    first: [MODEL],
  },
  {
    name: 'a change of what a load has observed leaves the load alone',
    file: 'mirror/observed.ts',
    find: 'if (this.#loading) this.#hit();',
    replace: '',
    first: [MODEL],
  },
  {
    name: 'the subscriptions to what was observed stay when the pages are gone',
    file: 'mirror/observed.ts',
    find: 'for (const subscription of this.#subscriptions.splice(0)) subscription.close();',
    replace: '',
    first: [MODEL],
  },
  {
    name: 'a begin does not wait for the onDrop of a page that the budget has dropped',
    file: 'mirror/pager.ts',
    find: 'if (entry.index >= from && entry.index < to) leaving.push(entry);',
    replace: 'void entry;',
    first: [EXAMPLES],
  },
  {
    name: 'a begin does not wait for its own onDrops',
    file: 'mirror/drops.ts',
    find: 'const pending = [...others, ...hit]',
    replace: 'const pending = [...others]',
    first: [EXAMPLES],
  },
  {
    name: 'the budget drops what a running read needs',
    file: 'mirror/table.ts',
    find: 'return entry.pins === 0;',
    replace: 'return true;',
    first: [EXAMPLES],
  },
  {
    name: 'what was kept for a read stays when the read is over',
    file: 'mirror/table.ts',
    find: 'return this.#aside.delete(entry.index);',
    replace: 'return false;',
    first: [EXAMPLES],
  },
  {
    name: 'a load ends when its first reader leaves',
    file: 'mirror/run.ts',
    find: "this.#note('left', read);\n    this.#giveUpIfUnwanted(reason);",
    replace: "this.#note('left', read);\n    this.giveUp(reason);",
    first: [EXAMPLES],
  },
  {
    name: 'a load goes on when its last reader has left',
    file: 'mirror/run.ts',
    find: "this.#note('left', read);\n    this.#giveUpIfUnwanted(reason);",
    replace: "this.#note('left', read);\n    void reason;",
    first: [EXAMPLES],
  },
  {
    name: 'the error of a load that was hit reaches its readers',
    file: 'mirror/run.ts',
    find: 'const wasHit = this.#pager.collides(this.first, this.count, this.token);',
    replace: 'const wasHit = false;',
    first: [EXAMPLES],
  },
  {
    name: 'a ban lets the first filling go on',
    file: 'mirror/pager.ts',
    find: '    this.#turnAway(new BannedError(',
    replace: '    void (new BannedError(',
    first: [RACE],
  },
  {
    name: 'a read that always loses never holds',
    file: 'mirror/page-read.ts',
    find: 'if (losses >= maxAttempts &&',
    replace: 'if (losses < 0 * maxAttempts &&',
    first: [EXAMPLES],
  },
  {
    name: 'a page that is blocked delays those beside it',
    file: 'mirror/page-read.ts',
    find: 'while (end < to && isFree(end) === free) end++;',
    replace: 'while (end < to && (!free || isFree(end))) end++;',
    first: [EXAMPLES],
  },
  {
    name: 'a load is repeated in the context of the writer that has hit it',
    file: 'mirror/page-read.ts',
    find: 'if (!this.done) this.#home.call();',
    replace: 'if (!this.done) Promise.resolve().then(() => this.#turnOver());',
    first: [CONTEXTS],
  },
  {
    name: 'pages that were kept in for a read are dropped in the context of who has ended it',
    file: 'mirror/page-read.ts',
    find: 'if (failure === undefined) this.#turnOver();',
    replace: 'if (failure === undefined || kept.length > 0) this.#turnOver();',
    first: [CONTEXTS],
  },
  {
    name: 'an option of a mirror that is misspelt is ignored',
    file: 'mirror/options.ts',
    find: "if (isPlain(options)) checkNames(options, MIRROR_OPTIONS, 'new RangeMirror');",
    replace: '',
    first: ['test/base/options.test.ts'],
  },
  {
    name: 'an option of a read of a mirror that is misspelt is ignored',
    file: 'mirror/options.ts',
    find: "checkNames(options, READ_OPTIONS, 'read');",
    replace: '',
    first: ['test/base/options.test.ts'],
  },
  {
    name: 'a read inside of a load waits for that load',
    file: 'mirror/page-read.ts',
    find: 'if (cycle !== undefined) return this.fail(new CycleError(cycle.map(String)));',
    replace: '',
    first: [CYCLES],
  },
  {
    name: 'a load that is over goes on to be one that waits',
    file: 'mirror/run.ts',
    find: '    this.#activity.finish();\n',
    replace: '',
    first: [CYCLES],
  },
  {
    name: 'a prefetch inside of a load is waited for',
    file: 'mirror/page-read.ts',
    find: 'this.inside = keeps ? currentActivity() : undefined;',
    replace: 'this.inside = currentActivity();',
    first: [CYCLES],
  },
  {
    name: 'a load is an activity of its own only until it returns a thenable',
    file: 'mirror/run.ts',
    find: '        return assimilate(pages) ?? Promise.resolve(pages as readonly Page[]);\n      });',
    replace: '        return pages;\n      }) as never;\n      returned = assimilate(returned) ?? Promise.resolve(returned);',
    first: [CYCLES],
  },
  {
    name: 'a trace does not know of loads that were hit',
    file: 'trace/recorder.ts',
    find: "if (collision !== undefined) this.#add('collided', seq, { ...step, ...hitBy(collision) });",
    replace: '',
    first: ['test/mirror/inspect.test.ts'],
  },
  {
    name: 'a load that has failed is shown as one that was installed',
    file: 'mirror/run.ts',
    find: '    this.failure = { error };\n    this.#close();\n    if (!wasHit)',
    replace: '    this.#close();\n    if (!wasHit)',
    first: ['test/mirror/inspect.test.ts'],
  },
];
