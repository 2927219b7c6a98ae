/**
 * Loads that wait until they are answered, and a source whose content they read when they begin.
 */
import type { KeyedLoadContext } from '../../../lib/keyed/index.js';
import { type Deferred, deferred } from '../turns.js';

/** One load that was begun. */
export interface LoadCall extends Deferred<string> {
  readonly key: string;
  readonly context: KeyedLoadContext;
  /** What the source held when the load began. */
  readonly read: string;
  /** Answers with that. */
  answer(): void;
}

export class Source {
  content = 'old';
  readonly calls: LoadCall[] = [];

  /** To be given as a load. */
  readonly load = (key: string, context: KeyedLoadContext): Promise<string> => {
    const answer = deferred<string>();
    const read = this.content;
    this.calls.push({ ...answer, key, context, read, answer: () => answer.resolve(read) });
    return answer.promise;
  };

  get last(): LoadCall {
    return this.calls.at(-1)!;
  }
}
