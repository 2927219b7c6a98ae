/**
 * Bootstrap: between which bounds a ratio of two medians lies, judged from nothing but the samples themselves.
 *
 * The samples of each side are drawn again, with replacement, as many as there were; the ratio of the medians of the draws is one
 * outcome; the middle 95 % of many outcomes are the interval (the percentile method). The two sides are drawn apart, as they come
 * from two runs: their rounds do not belong together in pairs.
 *
 * Its limit is the number of rounds. From 3 samples there are 10 different draws, from 5 there are 126, and no draw holds a value
 * that was not seen. The interval can therefore not be wider than least … greatest, which for 3 samples contains the true median
 * three times in four, for 5 samples fifteen times in sixteen: it is narrower than "95 %" sounds, and it knows nothing of what
 * changes between runs only, such as the temperature or the neighbours. Whoever decides by it adds a floor: see compare.ts.
 */
import { Random } from '../support/random.js';
import { median, quantile } from '../support/statistics.js';

/** Enough that the bounds of small samples do not depend on the seed. */
const DRAWS = 1000;
/** The same for every measure, so that a measure's bounds do not depend on its neighbours. */
const SEED = 95;
const LOW = 0.025;
const HIGH = 0.975;

/** The bounds of `median(now) / median(before)`, low first. Samples must be above zero. */
export function ratioInterval(now: readonly number[], before: readonly number[]): readonly [number, number] {
  const random = new Random(SEED);
  const draw = (samples: readonly number[]) => median(samples.map(() => samples[random.below(samples.length)]!));
  const ratios = Array.from({ length: DRAWS }, () => draw(now) / draw(before));
  return [quantile(ratios, LOW), quantile(ratios, HIGH)];
}
