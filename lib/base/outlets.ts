/**
 * Outlets: the methods whose promises user code awaits.
 *
 * A promise is settled in one turn, and who awaits it goes on in a later one; others may come in between. The explorer of
 * `rangefence/testing` tries what happens then, so it must get hold of these promises. A class names its methods here, once, and
 * the explorer replaces them while it runs. Not a hook inside each method: a call must cost nothing more where nobody explores.
 */

/** Some methods of one class. */
export interface Outlet {
  readonly prototype: object;
  readonly methods: readonly string[];
}

/** All of them, in the order in which the classes were loaded. Only {@link giveOut} adds to it. */
export const outlets: Outlet[] = [];

/** The promises of these methods are given out to users. */
export function giveOut<T extends object>(prototype: T, methods: readonly (keyof T & string)[]): void {
  outlets.push({ prototype, methods });
}
