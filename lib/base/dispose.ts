/**
 * `Symbol.dispose` without forcing a `lib` setting on anyone.
 *
 * A class with `[Symbol.dispose]()` in a declaration file breaks every consumer whose TypeScript does not know the
 * symbol. A mapped type over "the symbol, if there is one" becomes an empty type there, and the method elsewhere. (Where the symbol is missing at run
 * time, too, the method has an odd name and nobody calls it.)
 */

type DisposeKey = typeof Symbol extends { readonly dispose: infer K extends symbol } ? K : never;

/** A handle that `using` can close, where the consumer's TypeScript knows `Symbol.dispose`; an empty type elsewhere. */
export type DisposableHandle = { readonly [K in DisposeKey]: () => void };
