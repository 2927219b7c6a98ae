/**
 * ConsistentAll: one query over several sources.
 *
 * Queries inside of queries: when the innermost commits, nothing has hit any of the others yet that they will not notice, so at
 * that moment all was of one piece; if an outer one finds that it was hit meanwhile, all of it is run again.
 */
import { checkNames } from '../../base/options.js';
import { CONSISTENT_OPTIONS, type ConsistentOptions } from '../options.js';
import type { ByteReader } from '../reader.js';
import type { ConsistentReader } from './whole.js';

/**
 * Runs a query over several sources, such as the chunks of an array, so that all it reads was current at one and the same
 * moment. `query` gets a view for each source, under the same key, and must read through these only.
 *
 * It is run again as a whole if any of the sources changed in what it read. Costs one nested query for each source, also for
 * those it does not read from. Rejects with what `query` and `source.consistent` reject with.
 */
export function consistentAll<K, R>(
  sources: ReadonlyMap<K, ConsistentReader>,
  query: (views: ReadonlyMap<K, ByteReader>) => R | PromiseLike<R>,
  options?: ConsistentOptions,
): Promise<R> {
  const entries = [...sources];
  const views = new Map<K, ByteReader>(); // one for all depths: an attempt begins after the one before it has ended
  const nest = async (depth: number): Promise<R> => {
    const entry = entries[depth];
    if (entry === undefined) return query(views);
    await undefined; // or thousands of sources would stand on one stack
    const [key, source] = entry;
    return source.consistent((view) => {
      views.set(key, view);
      return nest(depth + 1);
    }, options);
  };
  try {
    checkNames(options, CONSISTENT_OPTIONS, 'consistentAll');
  } catch (error) {
    return Promise.reject(error);
  }
  return nest(0);
}
