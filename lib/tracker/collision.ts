/**
 * Collision: the check of space.ts once more, for people: what was hit, where, and by whom.
 */
import type { Spans } from '../base/range.js';
import type { Collision, Ignore, Seq } from '../base/vocabulary.js';
import { type History, LOST, NONE } from './history.js';
import { concerns } from './invalidation.js';
import type { Section } from './parties.js';
import type { Register } from './register.js';

/** Where collisions are looked for. */
interface Place {
  readonly gate: { readonly active: Register<Section> };
  readonly history: History;
}

/** The clearest collision of these spans since the token: one that names a section before one that does not. */
export function collisionOf(place: Place, spans: Spans, token: number, ignore: Ignore | undefined): Collision | undefined {
  let lost: Collision | undefined;
  for (let i = 0; i < spans.length; i += 2) {
    const collision = collisionIn(place, spans[i]!, spans[i + 1]!, token, ignore);
    if (collision !== undefined && collision.reason !== 'history-lost') return collision;
    lost ??= collision;
  }
  return lost;
}

function collisionIn(
  { gate, history }: Place,
  start: number,
  end: number,
  token: number,
  ignore: Ignore | undefined,
): Collision | undefined {
  let hit: Collision | undefined;
  gate.active.tree.visit(start, end, (from, to, { info, beginSeq }) => {
    if (!concerns(ignore, info)) return false;
    hit = { reason: 'active', ...named(info), range: intersection(start, end, from, to), seq: beginSeq };
    return true;
  });
  if (hit !== undefined) return hit;
  const found = history.find(start, end, token, ignore);
  if (found === NONE) return undefined;
  if (found === LOST) return { reason: 'history-lost', range: { start, end } };
  const { start: from, end: to, seq, info } = history.entry(found);
  return { reason: 'ended', ...named(info), range: intersection(start, end, from, to), seq: seq as Seq };
}

function named({ kind, label }: { kind: string; label: string | undefined }): { kind: string; label?: string } {
  return label === undefined ? { kind } : { kind, label };
}

function intersection(start: number, end: number, from: number, to: number): { start: number; end: number } {
  return { start: Math.max(start, from), end: Math.min(end, to) };
}
