// The package `rwlock` has no declarations of its own; this is the part that is used here.
declare module 'rwlock' {
  class ReadWriteLock {
    /** Calls back at once if no writer is inside or waits; otherwise later. `release` may be called once. */
    readLock(section: (release: () => void) => void): void;
    /** Calls back at once if nobody is inside; otherwise later. `release` may be called once. */
    writeLock(section: (release: () => void) => void): void;
  }
  export = ReadWriteLock;
}
