/**
 * Trees: the structures that are compared, each wrapped as thinly as it goes. None is helped and none is hindered: what a package
 * needs to take an interval out (a handle, a key, a record) is kept by index, as its user would.
 */
import FlattenTree from '@flatten-js/interval-tree';
import Flatbush from 'flatbush';
import createIntervalTree1d from 'interval-tree-1d';
import { IntervalTree as NodeIntervalTree } from 'node-interval-tree';
import RBush from 'rbush';
import { type Handle, IntervalTree } from '../../lib/interval-tree/index.js';
import { OWN } from '../report/measure.js';
import { SortedArray } from './sorted-array.js';
import type { Columns, IntervalQueries, TreePeer, TreeSubject } from './tree-peer.js';

function ours(): TreePeer {
  const tree = new IntervalTree();
  const handles: Handle[] = [];
  let sum = 0;
  const add = (start: number) => {
    sum = (sum + start) | 0;
  };
  return {
    insert(index, start, end) {
      handles[index] = tree.insert(start, end);
    },
    remove(index) {
      tree.delete(handles[index]!);
    },
    overlaps: (start, end) => tree.overlaps(start, end),
    sumOfStarts(start, end) {
      sum = 0;
      tree.visit(start, end, add);
      return sum;
    },
  };
}

function flatten(): TreePeer {
  const tree = new FlattenTree<number>();
  const keys: [number, number][] = [];
  let sum = 0;
  const add = (_index: number, key: { low: number }) => {
    sum = (sum + key.low) | 0;
    return 0;
  };
  return {
    insert(index, start, end) {
      const key: [number, number] = [start, end - 1];
      keys[index] = key;
      tree.insert(key, index);
    },
    remove(index) {
      tree.remove(keys[index]!, index);
    },
    overlaps: (start, end) => tree.intersect_any([start, end - 1]),
    sumOfStarts(start, end) {
      sum = 0;
      // Its iterator makes an object for each hit; this way it makes one array.
      tree.search([start, end - 1], add as (index: number, key: unknown) => number);
      return sum;
    },
  };
}

interface AvlRecord {
  readonly low: number;
  readonly high: number;
  /** It drops what is equal in every property, and equal intervals are two here. */
  readonly index: number;
}

function avl(): TreePeer {
  const tree = new NodeIntervalTree<AvlRecord>();
  const records: AvlRecord[] = [];
  return {
    insert(index, start, end) {
      const record = { low: start, high: end - 1, index };
      records[index] = record;
      tree.insert(record);
    },
    remove(index) {
      tree.remove(records[index]!);
    },
    // It has no test: searching is all it can do.
    overlaps: (start, end) => tree.search(start, end - 1).length > 0,
    sumOfStarts(start, end) {
      let sum = 0;
      for (const record of tree.search(start, end - 1)) sum = (sum + record.low) | 0;
      return sum;
    },
  };
}

type Pair = [number, number];
type Tree1d = ReturnType<typeof createIntervalTree1d<Pair>>;

function queries1d(tree: () => Tree1d): IntervalQueries {
  let sum = 0;
  const add = (pair: Pair) => {
    sum = (sum + pair[0]) | 0;
    return false;
  };
  const found = () => true;
  return {
    overlaps: (start, end) => tree().queryInterval(start, end - 1, found) === true,
    sumOfStarts(start, end) {
      sum = 0;
      tree().queryInterval(start, end - 1, add);
      return sum;
    },
  };
}

function interval1d(): TreePeer {
  const tree = createIntervalTree1d<Pair>();
  const pairs: Pair[] = [];
  return {
    ...queries1d(() => tree),
    insert(index, start, end) {
      const pair: Pair = [start, end - 1];
      pairs[index] = pair;
      tree.insert(pair);
    },
    remove(index) {
      if (!tree.remove(pairs[index]!)) throw new Error('an interval that was put in is not found');
    },
  };
}

function built1d({ starts, ends }: Columns): IntervalQueries {
  const tree = createIntervalTree1d<Pair>(starts.map((start, i) => [start, ends[i]! - 1]));
  return queries1d(() => tree);
}

interface Box {
  readonly minX: number;
  readonly maxX: number;
  readonly minY: number;
  readonly maxY: number;
}

// Height 1, not 0: without area it cannot tell good splits from bad ones.
const box = (start: number, end: number): Box => ({ minX: start, maxX: end - 1, minY: 0, maxY: 1 });

function rbush(): TreePeer {
  const tree = new RBush<Box>();
  const boxes: Box[] = [];
  return {
    insert(index, start, end) {
      const added = box(start, end);
      boxes[index] = added;
      tree.insert(added);
    },
    remove(index) {
      tree.remove(boxes[index]!);
    },
    overlaps: (start, end) => tree.collides(box(start, end)),
    sumOfStarts(start, end) {
      let sum = 0;
      for (const found of tree.search(box(start, end))) sum = (sum + found.minX) | 0;
      return sum;
    },
  };
}

function flatbush({ starts, ends }: Columns): IntervalQueries {
  const tree = new Flatbush(starts.length);
  for (let i = 0; i < starts.length; i++) tree.add(starts[i]!, 0, ends[i]! - 1, 1);
  tree.finish();
  return {
    overlaps: (start, end) => tree.collides(start, 0, end - 1, 1),
    sumOfStarts(start, end) {
      let sum = 0;
      for (const index of tree.search(start, 0, end - 1, 1)) sum = (sum + starts[index]!) | 0;
      return sum;
    },
  };
}

/** All that are measured in JavaScript, ours first. */
export const TREES: readonly TreeSubject[] = [
  { name: OWN, make: ours, build: undefined },
  { name: '@flatten-js/interval-tree', make: flatten, build: undefined },
  { name: 'node-interval-tree', make: avl, build: undefined },
  { name: 'interval-tree-1d', make: interval1d, build: built1d },
  { name: 'rbush', make: rbush, build: undefined },
  { name: 'flatbush', make: undefined, build: flatbush },
  { name: 'sorted array', make: () => new SortedArray(), build: undefined },
];

/** The subject of this name. */
export function treeNamed(name: string | undefined): TreeSubject {
  const tree = TREES.find((subject) => subject.name === name);
  if (tree === undefined) throw new TypeError(`no tree '${name}'; expected one of ${TREES.map((t) => t.name).join(', ')}`);
  return tree;
}
