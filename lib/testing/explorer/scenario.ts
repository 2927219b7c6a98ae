/**
 * Scenario: what a user hands to the explorer.
 */

/** What a step reads and writes, by names of the scenario's own choice. Steps that share nothing are tried in one order only. */
export interface Touches {
  /** What decides how it goes. */
  readonly reads?: readonly string[] | undefined;
  /** What is different afterwards. */
  readonly writes?: readonly string[] | undefined;
}

/**
 * Resolves when it is this actor's turn. What follows, up to the next `step`, is one step: nobody comes in between, except
 * those whom it wakes. Without `touches` it depends on everything.
 */
export type Step = (label: string, touches?: Touches) => Promise<void>;

/** One party. What it does before its first `step` is part of making the scenario. An error it throws is a failure. */
export type Actor = (step: Step) => unknown;

/** Some parties and what must be true of them. */
export interface Scenario {
  /** By name; their order is that of the columns, and of the indexes in a schedule. */
  readonly actors: Readonly<Record<string, Actor>>;
  /**
   * Lists of actors that do the same, but for their names: each is named in one list at most. `explore` has those of a list
   * take their first steps in its order only, since every other order is one of these with the names exchanged.
   */
  readonly twins?: readonly (readonly string[])[] | undefined;
  /** Called before the first step and after each: throws if something is wrong. */
  check?(): void;
  /** Called when all are done: throws or rejects if something is wrong. */
  end?(): unknown;
  /**
   * False: code that awaits a promise of this library goes on in the step in which it was settled, and nobody comes in between.
   * Default true: it goes on in a step of its own, named `after lookup`, `after begin` and so on.
   */
  readonly checkPoints?: boolean | undefined;
  /**
   * All that decides how it goes on, but for where each actor stands: what the actors share, and what they remember. Where two
   * orders lead to the same state, only one of them is followed.
   */
  state?(): string;
}

/** Makes everything anew: no state may be shared by two runs. */
export type MakeScenario = () => Scenario;
