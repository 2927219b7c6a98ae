// Packages without declarations of their own; the parts that are used here.
declare module 'interval-tree-1d' {
  type Interval = [number, number];
  interface Tree<T extends Interval> {
    insert(interval: T): void;
    /** False if this very array is not found. */
    remove(interval: T): boolean;
    /** Ends with the first result of `visit` that is truthy, and returns it. */
    queryInterval(low: number, high: number, visit: (interval: T) => boolean): boolean | undefined;
  }
  function createIntervalTree<T extends Interval>(intervals?: readonly T[]): Tree<T>;
  export = createIntervalTree;
}

declare module 'readwrite-lock' {
  class ReadwriteLock {
    acquireRead<T>(key: string, section: () => T | PromiseLike<T>): Promise<T>;
    acquireWrite<T>(key: string, section: () => T | PromiseLike<T>): Promise<T>;
  }
  export = ReadwriteLock;
}
