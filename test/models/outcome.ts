/**
 * What SPIN's verifier has printed, in short.
 */

export type Outcome =
  | {
      readonly states: number;
      readonly seconds: number;
      /** What it has found, in its own words. */
      readonly error: string | undefined;
      /** Why it has not searched everything, in its own words. */
      readonly incomplete: string | undefined;
    }
  | { readonly failure: string };

/** Reads the report of a verifier. A report without a count of errors is a failure: it was ended, or has crashed. */
export function outcomeOf(text: string, seconds: number): Outcome {
  const errors = /errors: (\d+)/.exec(text);
  const states = /^ *([\d.e+]+) states, stored/m.exec(text);
  if (errors === null || states === null) return { failure: text.slice(-2000) };
  const found = /^pan:\d+: (.*)$/m.exec(text)?.[1];
  const incomplete = /^.*(truncated|out of memory|max search depth too small|interrupted|not completed).*$/im.exec(text)?.[0];
  const error = errors[1] === '0' ? undefined : (found ?? 'an error');
  return { states: Number(states[1]), seconds, error, incomplete: incomplete?.trim() };
}
