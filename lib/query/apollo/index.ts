/**
 * Apollo Client, fenced: the answer of a query that a mutation has overtaken does not reach the cache; the query is sent again.
 *
 * The way of a query: the link is a lookup of the keys that `scope` says, around the links behind it; its answers go to Apollo in the
 * turn of the check. It is behind Apollo's deduplication, so whoever joins a query that is running gets what is sent again, too.
 * The way of a mutation: a section of its keys, over before its answer reaches Apollo, which then updates and refetches.
 * Subscriptions go through as they are.
 *
 * @packageDocumentation
 */
import { ApolloLink } from '@apollo/client/link';
import { Observable } from 'rxjs';

import { checkNames, names } from '../../base/options.js';
import type { KeyedFence } from '../../keyed/index.js';
import { checkFence, checkFunction, RETRIES, type RequestScope } from '../requests.js';

/** How Apollo's operations are fenced. */
export interface FenceLinkOptions<K> {
  /** The fence, on which pushes of the server are announced, too. */
  fence: KeyedFence<K>;
  /** What an operation reads, or writes. Default: `fence` in its context. Must not return a promise. */
  scope?: ((operation: ApolloLink.Operation) => RequestScope<K>) | undefined;
}

const OPTIONS = /* @__PURE__ */ names('fence scope');

/**
 * A link that repeats a query when a change of its keys has overtaken it, and has it wait for those that are going on; and that
 * announces what a mutation writes. Put it before the link that sends. The answers of a query that has several (`@defer`) reach Apollo
 * when the last one is there. Throws `InvalidArgumentError`.
 */
export function fenceLink<K>(options: FenceLinkOptions<K>): ApolloLink {
  checkNames(options, OPTIONS, 'fenceLink');
  const { fence, scope = (operation) => operation.getContext().fence } = options;
  checkFence(fence);
  checkFunction('scope', scope);
  return new ApolloLink((operation, forward) => {
    const what = operation.operationType === 'subscription' ? undefined : scope(operation);
    if (what === undefined) return forward(operation);
    return new Observable((observer) => {
      const leaving = new AbortController();
      const { signal } = leaving;
      const answer = (results: readonly ApolloLink.Result[]) => {
        for (const result of results) observer.next(result);
        observer.complete();
      };
      const done =
        operation.operationType === 'mutation'
          ? fence.mutate(what, () => resultsOf(forward(operation), signal), { signal }).then(answer)
          : fence.lookup(what, (attempt) => resultsOf(forward(operation), attempt.signal), {
              ...RETRIES,
              signal,
              commit: answer,
            });
      done.catch((error) => observer.error(error));
      return () => leaving.abort();
    });
  });
}

/** All answers, or a rejection when the signal fires: the request is given up then. */
function resultsOf(answers: Observable<ApolloLink.Result>, signal: AbortSignal): Promise<readonly ApolloLink.Result[]> {
  return new Promise((resolve, reject) => {
    const results: ApolloLink.Result[] = [];
    const subscription = answers.subscribe({
      next: (result) => results.push(result),
      error: reject,
      complete: () => resolve(results),
    });
    const leave = () => {
      subscription.unsubscribe();
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
}

export type { RequestScope } from '../requests.js';
