/**
 * Channels: what a tracker does, published to `node:diagnostics_channel`, where whoever watches a process looks for it.
 *
 * | channel | events, as `message.type` |
 * |---|---|
 * | `rangefence:invalidation` | `begin`, `notified`, `ended`, `refused` |
 * | `rangefence:lookup` | `attempt`, `committed`, `failed`, `held`, `released` |
 * | `rangefence:collision` | `collided` |
 *
 * A message is made only if the channel has subscribers. There is no static import of a Node module, so this file can be
 * bundled for anything; where the host has no such channels, the observer has no methods.
 */
import type { TrackerEvents, TrackerObserver } from '../tracker/index.js';

/** The events that each channel carries. */
export interface ChannelEvents {
  /** What sections do. */
  'rangefence:invalidation': 'begin' | 'notified' | 'ended' | 'refused';
  /** What lookups do. */
  'rangefence:lookup': 'attempt' | 'committed' | 'failed' | 'held' | 'released';
  /** Attempts that were hit. */
  'rangefence:collision': 'collided';
}

/** The name of a channel. */
export type ChannelName = keyof ChannelEvents;

/** What is published: the event that observers get, and its type. */
export type ChannelMessage<Name extends ChannelName = ChannelName> = {
  [Type in ChannelEvents[Name]]: TrackerEvents[Type] & {
    /** Which event. */
    readonly type: Type;
  };
}[ChannelEvents[Name]];

const CHANNELS: { readonly [Name in ChannelName]: readonly ChannelEvents[Name][] } = {
  'rangefence:invalidation': ['begin', 'notified', 'ended', 'refused'],
  'rangefence:lookup': ['attempt', 'committed', 'failed', 'held', 'released'],
  'rangefence:collision': ['collided'],
};

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface Host {
  readonly process?: { getBuiltinModule?: (name: string) => { channel?: (name: string) => Channel } | undefined };
}

/**
 * An observer for any number of trackers: `new RangeTracker({ observer: publishChannels() })`. The message of an event is its
 * object with a `type`; it names live objects, so a subscriber that keeps messages keeps those alive.
 */
export function publishChannels(): TrackerObserver {
  const { process } = globalThis as Host;
  const diagnostics = process?.getBuiltinModule?.('diagnostics_channel');
  const channelOf = diagnostics?.channel;
  if (channelOf === undefined) return {};
  const methods = Object.entries(CHANNELS).flatMap(([name, types]) => {
    const channel = channelOf(name);
    return types.map((type: string) => [type, publisher(channel, type)] as const);
  });
  return Object.fromEntries(methods);
}

function publisher(channel: Channel, type: string): (event: object) => void {
  return (event) => {
    if (channel.hasSubscribers) channel.publish({ type, ...event });
  };
}
