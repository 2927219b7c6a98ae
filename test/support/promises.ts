/**
 * Promises: how many of them a piece of work makes, its own and those that the engine makes for each `await`.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';

/** Something that is over when its promise is settled. */
type Work = () => Promise<unknown>;

const storage = new AsyncLocalStorage<object>();
const NOTHING = Promise.resolve();

/** Promises made by `work` and by what it sets off, however late: those of others that run meanwhile are not counted. */
export async function promisesOf(work: Work): Promise<number> {
  return (await count(work)) - (await count(() => NOTHING));
}

async function count(work: Work): Promise<number> {
  const mark = {};
  let promises = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE' && storage.getStore() === mark) promises++;
    },
  });
  hook.enable();
  try {
    await storage.run(mark, async () => {
      await work();
    });
  } finally {
    hook.disable();
  }
  return promises;
}
