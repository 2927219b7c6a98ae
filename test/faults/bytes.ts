/**
 * Faults of byte sources; see faults.ts.
 */
import type { Fault } from './faults.js';

const CORE = 'test/bytes.test.ts';
const FILE = 'test/bytes.file.test.ts';
const URLS = 'test/bytes.url.test.ts';
const RACE = 'test/bytes.race.test.ts';

/** Wrong behaviour of `ByteSource` and its two backends, one at a time. */
export const BYTES_FAULTS: readonly Fault[] = [
  {
    name: 'bytes of another version are taken beside those of the present one',
    file: 'bytes/keeper.ts',
    find: 'return version !== undefined && version.key === this.#version?.key;',
    replace: 'return version !== undefined;',
    first: [RACE],
  },
  {
    name: 'what is found to have changed is loaded again, and nobody else is told',
    file: 'bytes/keeper.ts',
    find: 'const EVERYTHING: Range = { start: -1, end: Number.POSITIVE_INFINITY };',
    replace: 'const EVERYTHING: Range = { start: -1, end: 0 };',
    first: [CORE],
  },
  {
    name: 'a change that is noticed queues behind the hold of the reader that has noticed it',
    file: 'bytes/keeper.ts',
    find: '{ ...options, within }',
    replace: '{ ...options, within: within === undefined ? within : undefined }',
    first: [CORE],
  },
  {
    name: 'a change that is told joins one that another has found before',
    file: 'bytes/keeper.ts',
    find: 'while (this.#changing !== undefined) await this.#changing;',
    replace: 'if (this.#changing !== undefined) return this.#changing.then(() => true);',
    first: [CORE],
  },
  {
    name: 'an announced write does not look first whether somebody else has written',
    file: 'bytes/keeper.ts',
    find: '    await this.#checkBefore();\n',
    replace: '',
    first: [CORE],
  },
  {
    name: 'an announced write drops everything',
    file: 'bytes/keeper.ts',
    find: 'if (isVouchedFor(this.#writing, found.size)) this.#version = found;',
    replace: 'if (found.size < 0) this.#version = found;',
    first: [CORE],
  },
  {
    name: 'a length that has changed elsewhere than announced is believed',
    file: 'bytes/keeper.ts',
    find: 'if (isVouchedFor(this.#writing, found.size))',
    replace: 'if (this.#writers > 0)',
    first: [CORE],
  },
  {
    name: 'a question joins one that was sent before',
    file: 'bytes/question.ts',
    find: '    if (this.#next === round) this.#next = undefined;\n    try {',
    replace: '    try {',
    first: [CORE],
  },
  {
    name: 'a question goes on when everybody has left',
    file: 'bytes/question.ts',
    find: 'if (--this.#waiting === 0)',
    replace: 'if (--this.#waiting < 0)',
    first: [CORE],
  },
  {
    name: 'a view does not observe what it reads',
    file: 'bytes/view.ts',
    find: 'if (length > 0) this.#attempt.observe(',
    replace: 'if (length < 0) this.#attempt.observe(',
    first: [CORE],
  },
  {
    name: 'a view does not observe the length',
    file: 'bytes/view.ts',
    find: 'start: Math.max(0, size - 1), end: Number.POSITIVE_INFINITY',
    replace: 'start: -1, end: 0',
    first: [CORE],
  },
  {
    name: 'a query does not ask for the version at its end',
    file: 'bytes/source.ts',
    find: '      if (options.revalidate === true) await keeper.check(attempt.signal);\n      return value;',
    replace: '      return value;',
    first: [CORE],
  },
  {
    name: 'a read that began behind the end is cut where it was to be seen that it is the end',
    file: 'bytes/source.ts',
    find: 'return join(pages, { start, end }, pageSize);',
    replace: 'return join(pages, { start, end: range.end }, pageSize);',
    first: [CORE],
  },
  {
    name: 'a thing that has grown is cut at its old end',
    file: 'bytes/source.ts',
    find: 'if (range.end === end || endOf(pages, pageSize))',
    replace: 'if (range.end <= end || endOf(pages, pageSize))',
    first: [CORE],
  },
  {
    name: 'a caller gets the page itself',
    file: 'bytes/pages.ts',
    find: 'const bytes = new Uint8Array(Math.max(0, Math.min(end - first, length) - from));',
    replace:
      'if (pages.length === 1 && from === 0 && end >= length) return pages[0]!;\n  const bytes = new Uint8Array(Math.max(0, Math.min(end - first, length) - from));',
    first: [CORE],
  },
  {
    name: 'a file is read under a time stamp that may be given to another write',
    file: 'bytes/file.ts',
    find: 'const TICK_MS = 20;',
    replace: 'const TICK_MS = 0;',
    first: [FILE],
  },
  {
    name: 'a file is not looked at again after it was read',
    file: 'bytes/file.ts',
    find: 'before.key === after.key && opened.inode === before.inode',
    replace: 'after.key !== "" && opened.inode === before.inode',
    first: [FILE],
  },
  {
    name: 'a file that was replaced stays open',
    file: 'bytes/file.ts',
    find: 'if (opened?.inode !== inode) {',
    replace: 'if (opened === undefined) {',
    first: [FILE],
  },
  {
    name: 'a file that was replaced is not closed',
    file: 'bytes/file.ts',
    find: 'this.#retire(); // also',
    replace: '// also',
    first: [FILE],
  },
  {
    name: 'a watch keeps the process alive',
    file: 'bytes/file.ts',
    find: 'watcher.unref?.();',
    replace: '(watcher as { ref?(): void }).ref?.();',
    first: [FILE],
  },
  {
    name: 'a watch goes with the inode',
    file: 'bytes/file.ts',
    find: 'fs.watch(paths.dirname(path),',
    replace: 'fs.watch(path,',
    first: [FILE],
  },
  {
    name: 'a weak ETag is sent in If-Match',
    file: 'bytes/http.ts',
    find: "!etag.startsWith('W/')",
    replace: "etag !== ''",
    first: [URLS],
  },
  {
    name: 'a strong ETag is not asked for',
    file: 'bytes/url.ts',
    find: "return { 'if-match': expected!.etag! };",
    replace: 'return {};',
    first: [URLS],
  },
  {
    name: 'the whole thing is taken for a part of it',
    file: 'bytes/url.ts',
    find: 'if (response.status !== 206) throw',
    replace: 'if (response.status > 206) throw',
    first: [URLS],
  },
  {
    name: 'another range than the one that was asked for is taken',
    file: 'bytes/url.ts',
    find: 'if (part.start !== range.start || part.end !== end)',
    replace: 'if (part.start !== range.start && part.end !== end)',
    first: [URLS],
  },
  {
    name: 'a body of another length is taken',
    file: 'bytes/url.ts',
    find: 'if (bytes.length === wanted) return bytes;',
    replace: 'if (bytes.length >= 0) return bytes;',
    first: [URLS],
  },
  {
    name: 'a content is taken in the second in which it was changed',
    file: 'bytes/http.ts',
    find: 'return ageMs < 1_000 ? 1_000 : 0;',
    replace: 'return ageMs < 0 ? 1_000 : 0;',
    first: [URLS],
  },
];
