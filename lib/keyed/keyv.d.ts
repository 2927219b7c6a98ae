/**
 * The type of a Keyv's values, where Keyv is installed. Not a part of the bundle, since a bundler would drop the line that matters.
 */
// @ts-ignore -- Keyv is optional: where it is not installed, it is `any` here, and nothing is a Keyv
import type { Keyv } from 'keyv';

/** The type of the values, as a list of one; `undefined` for what is no Keyv. */
export type KeyvValue<C> = 0 extends 1 & Keyv ? undefined : C extends Keyv<infer V> ? [V] : undefined;
