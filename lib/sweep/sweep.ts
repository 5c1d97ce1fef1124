/**
 * The sweep's flow: publishes again what has been pending too long, ends what can never be settled, purges old tombstones, and reports what the
 * alarms watch. It is the safety net under every other part, so it works in bounded passes, stops before its time is up, and goes on where it
 * stopped the next time.
 */
import type { DeadEvent } from '../contract/dead-event.ts';
import { type Pointer, pointersPerCall } from '../contract/pointer.ts';
import type { Position } from '../contract/position.ts';
import type { OutboxCounts, StaleEvent, StaleQuery } from '../contract/stale-event.ts';
import { inChunks } from '../in-chunks.ts';
import { purgeTombstones, type TombstonePorts } from './purge-tombstones.ts';

/** What the sweep needs. */
export interface SweepPorts extends TombstonePorts {
  readonly readServerTime: () => Promise<Date>;
  readonly countStale: (staleBefore: Date, limit: number) => Promise<number>;
  readonly findStale: (query: StaleQuery) => Promise<readonly StaleEvent[]>;
  readonly readLastProcessed: () => Promise<Date | null>;
  readonly claimStale: (eventIds: readonly string[], now: Date, lastProcessed: Date | null) => Promise<void>;
  /** Sends at most ten pointers to the queue, and returns how many it took. */
  readonly sendToQueue: (pointers: readonly Pointer[]) => Promise<number>;
  readonly countBacklog: () => Promise<number>;
  readonly markDead: (events: readonly DeadEvent[]) => Promise<number>;
  readonly countOutbox: (limit: number) => Promise<OutboxCounts>;
  readonly remainingMillis: () => number;
}

export interface SweepOptions {
  readonly staleSeconds: number;
  readonly maxAttempts: number;
  readonly tombstoneRetentionDays: number;
}

/** What one pass came to. */
export interface SweepReport {
  readonly republished: number;
  readonly exhausted: number;
  /** Stale events that wait in the queue already, by its own count. */
  readonly leftToQueue: number;
  readonly tombstonesPurged: number;
  readonly pending: number;
  readonly dead: number;
  readonly oldestPendingSeconds: number;
  readonly queueBacklog: number;
}

const chunkEvents = 500;
const countLimit = 1_000_000;

/** Stops with this much of its time left. */
const leaveMillis = 5_000;

/** Stale for this many times the limit, an event is published again whatever the queue's length: its message may have got lost among many others. */
const overdueFactor = 10;

/**
 * Runs one pass.
 *
 * @throws Fault `mongodb-unavailable`, `queue-unavailable` or `neo4j-unavailable`; what was done stays done.
 */
export async function sweep(ports: SweepPorts, options: SweepOptions): Promise<SweepReport> {
  const now = await ports.readServerTime();
  const queueBacklog = await ports.countBacklog();
  const { republished, exhausted, leftToQueue } = await republish(ports, options, now, queueBacklog);
  const counts = await ports.countOutbox(countLimit);
  const tombstonesPurged = await purgeTombstones(ports, options.tombstoneRetentionDays);
  return {
    republished,
    exhausted,
    leftToQueue,
    tombstonesPurged,
    pending: counts.pending,
    dead: counts.dead,
    oldestPendingSeconds:
      counts.oldestPending === null ? 0 : Math.max(0, (now.getTime() - counts.oldestPending.getTime()) / 1000),
    queueBacklog,
  };
}

async function republish(
  ports: SweepPorts,
  options: SweepOptions,
  now: Date,
  queueBacklog: number,
): Promise<Pick<SweepReport, 'republished' | 'exhausted' | 'leftToQueue'>> {
  const stale = await ports.countStale(secondsBefore(now, options.staleSeconds), queueBacklog + 1);
  // As many messages wait as events are stale: the consumer is slow or stopped, and more copies would not help it.
  const explained = stale > 0 && stale <= queueBacklog;
  const staleBefore = secondsBefore(now, options.staleSeconds * (explained ? overdueFactor : 1));
  const lastProcessed = await ports.readLastProcessed();
  let republished = 0;
  let exhausted = 0;
  let after: Position | null = null;
  while (ports.remainingMillis() > leaveMillis) {
    const chunk = await ports.findStale({ staleBefore, now, after, limit: chunkEvents });
    const last = chunk.at(-1);
    if (last === undefined) break;
    after = last.position;
    const worn = chunk.filter((event) => event.attempts >= options.maxAttempts);
    exhausted += await ports.markDead(worn.map((event) => exhaustedEvent(event.eventId, event.attempts)));
    const again = chunk.filter((event) => event.attempts < options.maxAttempts);
    // Claimed before it is sent: should this process end in between, the event comes up again when its back-off is over.
    await ports.claimStale(
      again.map((event) => event.eventId),
      now,
      lastProcessed,
    );
    republished += await sendChunk(again, ports);
  }
  return { republished, exhausted, leftToQueue: explained ? stale : 0 };
}

async function sendChunk(events: readonly StaleEvent[], ports: SweepPorts): Promise<number> {
  let taken = 0;
  for (const call of inChunks(events, pointersPerCall)) taken += await ports.sendToQueue(call);
  return taken;
}

function exhaustedEvent(eventId: string, attempts: number): DeadEvent {
  return {
    eventId,
    code: 'attempts-exhausted',
    message: `Published again ${attempts} times while other events were settled, and never settled itself. Look for its eventId in the consumer's log.`,
  };
}

function secondsBefore(now: Date, seconds: number): Date {
  return new Date(now.getTime() - seconds * 1000);
}
