/**
 * Faults of the lock-order checker; see faults.ts.
 */
import type { Fault } from './faults.js';

const WAITS = 'test/debug/waits.test.ts';
const CYCLES = 'test/debug/cycles.test.ts';
const ORDER = 'test/debug/order.test.ts';
const CONTEXTS = 'test/debug/contexts.test.ts';
const HAND = 'test/debug/hand.test.ts';
const REPORT = 'test/debug/report.test.ts';
const HIDDEN = 'test/debug/hidden.test.ts';
const HANDLES = 'test/debug/handles.test.ts';

/** Wrong behaviour of `lockOrder()`, one at a time. */
export const DEBUG_FAULTS: readonly Fault[] = [
  {
    name: 'debug: a change does not have to end its section',
    file: 'debug/lock-order.ts',
    find: '    record.oblige(change);',
    replace: '    void change;',
    first: [WAITS],
  },
  {
    name: 'debug: a change or a callback must end what is begun by hand in it',
    file: 'debug/parties.ts',
    find: 'if (each.declared) return each;',
    replace: 'return each;',
    first: [HAND],
  },
  {
    name: 'debug: what a callback has left running still obliges it',
    file: 'debug/parties.ts',
    find: '    for (const callback of this.callbacks ?? []) callback.finish();\n',
    replace: '',
    first: [WAITS],
  },
  {
    name: 'debug: a callback that asks for no time is waited for',
    file: 'debug/lock-order.ts',
    find: '    else callback.finish();',
    replace: '    else record?.await(callback);',
    first: [WAITS],
  },
  {
    name: 'debug: a wait is judged before it is known who waits for it',
    file: 'debug/judge.ts',
    find: '    this.#suspects.push(wait);',
    replace: '    this.#judge(wait);\n    this.#suspects.push(wait);',
    first: [WAITS],
  },
  {
    name: 'debug: a wait that was given up still stands',
    file: 'debug/lock-order.ts',
    find: "    if ('operation' in waiter) this.#forgetReader(waiter);",
    replace: "    if ('operation' in waiter) return;",
    first: [WAITS],
  },
  {
    name: 'debug: a cycle ends at the first arrow: only what is waited for directly counts',
    file: 'debug/graph.ts',
    find: '      if (rest !== undefined) return [{ wait, obliged }, ...rest];',
    replace: '      if (rest === undefined) return undefined;',
    first: [CYCLES],
  },
  {
    name: 'debug: a queued begin is not followed to what the hold waits for',
    file: 'debug/graph.ts',
    find: '  if (blocker.wait === undefined) return undefined;',
    replace: '  if (blocker.wait !== undefined) return undefined;',
    first: [CYCLES],
  },
  {
    name: 'debug: a cycle that holdMs ends is an error',
    file: 'debug/graph.ts',
    find: "severity: isBounded ? 'warning' : 'error'",
    replace: "severity: isBounded ? 'error' : 'error'",
    first: [CYCLES],
  },
  {
    name: 'debug: all waits are judged when the first of them is due',
    file: 'debug/judge.ts',
    find: 'now - since < this.#graceMs',
    replace: 'now - since < 0',
    first: [CYCLES],
  },
  {
    name: 'debug: an order through three classes is not seen to go round',
    file: 'debug/order.ts',
    find: '    if (rest !== undefined) return [step, ...rest];',
    replace: '    if (rest === undefined) return undefined;',
    first: [ORDER],
  },
  {
    name: 'debug: reads and begins inside sections are one order',
    file: 'debug/order.ts',
    find: '    from.inner[nesting].set(to, step);',
    replace: '    from.inner.begin.set(to, step);\n    from.inner.read.set(to, step);',
    first: [ORDER],
  },
  {
    name: 'debug: a callback is not inside the section that waits for it',
    file: 'debug/order.ts',
    find: '    if (each.serves !== undefined) yield each.serves;\n',
    replace: '',
    first: [ORDER],
  },
  {
    name: 'debug: the context of a change leaks to whoever called mutate',
    file: 'debug/context.ts',
    find: '    if (last !== undefined) this.set(last.before);',
    replace: '',
    first: [CONTEXTS],
  },
  {
    name: 'debug: a section that was ended stays among the open ones',
    file: 'debug/lock-order.ts',
    find: '    open.delete(record);',
    replace: '',
    first: [REPORT],
  },
  {
    name: 'debug: a readBegin that did not have to wait is in no order',
    file: 'tracker/wait.ts',
    find: "      this.space.note?.('read', { reader: this });\n",
    replace: '',
    first: [HIDDEN],
  },
  {
    name: 'debug: a lazy thenable of a change starts outside the change',
    file: 'tracker/change.ts',
    find: 'return assimilate(returned) ?? returned;',
    replace: 'return assimilate ? returned : returned;',
    first: [HIDDEN],
  },
  {
    name: 'debug: a lazy thenable of a callback is not waited for',
    file: 'tracker/answers.ts',
    find: 'const promise = assimilate<void | false>(returned);',
    replace: 'const promise = returned instanceof Promise ? assimilate<void | false>(returned) : undefined;',
    first: [HIDDEN],
  },
  {
    name: 'debug: a subscriber that waits for a close that waits for it is not seen',
    file: 'tracker/tracker.ts',
    find: "if (this.#release?.active === true) this.#space.note?.('closing', { invalidation: this.#release });",
    replace: '',
    first: [HIDDEN],
  },
  {
    name: 'debug: a shared load needs nobody to go on',
    file: 'debug/graph.ts',
    find: '  if (party instanceof LoadRecord) return',
    replace: '  if (party instanceof LoadRecord && party.name === undefined) return',
    first: [HIDDEN],
  },
  {
    name: 'debug: a cache does not say who shares its loads',
    file: 'keyed/flight.ts',
    find: "      this.note('joined', caller);\n",
    replace: '',
    first: [HIDDEN],
  },
  {
    name: 'debug: a mirror does not say who shares its loads',
    file: 'mirror/run.ts',
    find: "    if (before === 0 && read.isAwaited) this.#note('joined', read);\n",
    replace: '',
    first: [HIDDEN],
  },
  {
    name: 'debug: whoever has left a load still waits for it',
    file: 'debug/loads.ts',
    find: '    if (!isAwaitedIn(load, load.context?.parent)) load.context?.detach();\n',
    replace: '',
    first: [HIDDEN],
  },
  {
    name: 'debug: a bound job belongs to whoever runs it',
    file: 'debug/lock-order.ts',
    find: 'contexts.run(current, () => fn(...args))',
    replace: 'contexts.run(contexts.current ?? current, () => fn(...args))',
    first: [HIDDEN],
  },
  {
    name: 'debug: a handle that was dropped is not noticed',
    file: 'debug/lock-order.ts',
    find: '    if (record !== undefined) watchCollected(handle, this.#whenDropped(record), record);\n',
    replace: '    void [record, handle];\n',
    first: [HANDLES],
  },
  {
    name: 'debug: a handle that was dropped after the end is a leak',
    file: 'debug/lock-order.ts',
    find: '    forgetCollected(record);\n',
    replace: '',
    first: [HANDLES],
  },
  {
    name: 'debug: the owner gets the section itself, which the tracker keeps',
    file: 'tracker/tracker.ts',
    find: 'space.givesHandles ? HandledSection : Section',
    replace: '!HandledSection ? Section : Section',
    first: [HANDLES],
  },
  {
    name: 'debug: a section nested in a handle is refused',
    file: 'tracker/parties.ts',
    find: 'return section instanceof Section ? section : given;',
    replace: 'return given;',
    first: [HANDLES],
  },
];
