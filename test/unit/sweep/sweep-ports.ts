/**
 * An outbox and a queue in memory, as the sweep's flows see them. A test names only what matters to
 * it.
 */
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { StaleEvent } from '../../../lib/sweep/stale-event.ts';
import type { SweepPorts } from '../../../lib/sweep/sweep.ts';

export const now = new Date('2026-01-01T00:00:00Z');

/** The time this many seconds before now. */
export const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);

/** A stale event that was never republished, unless `fields` say otherwise. */
export function stale(index: number, fields: Partial<StaleEvent> = {}): StaleEvent {
  return {
    eventId: index.toString(16).padStart(24, '0'),
    aggregateType: 'graph',
    aggregateId: `${index}`,
    position: toPosition({ t: index, i: 1 }),
    attempts: 0,
    nextAttemptAt: null,
    ...fields,
  };
}

/** Creates `count` stale events. */
export const manyStale = (count: number) => Array.from({ length: count }, (_, index) => stale(index + 1));

/** The ports with these pending events, and a record of what was done through them. */
export function fakeOutbox(events: readonly StaleEvent[], given: Partial<SweepPorts> = {}) {
  const pending = new Map(events.map((event) => [event.eventId, event]));
  const sent: string[] = [];
  const dead: { eventId: string; code: string }[] = [];
  const order: string[] = [];
  const staleBefore: Date[] = [];
  const logged: string[] = [];
  const ports: SweepPorts = {
    readServerTime: async () => now,
    readLastCanary: async () => null,
    readWaitingCanaries: async () => ({ pending: 0, oldest: null }),
    settleCanariesBefore: async () => 0,
    writeCanary: async () => undefined,
    countOutbox: async () => ({ pending: pending.size, pendingCanaries: 0, dead: 0, oldestPending: null }),
    readApplyLags: async () => [],
    readPublisherActivity: async () => null,
    countStale: async () => pending.size,
    findStale: async (query) => {
      staleBefore.push(query.staleBefore);
      const isDue = ({ nextAttemptAt, position }: StaleEvent) =>
        (nextAttemptAt === null || nextAttemptAt <= query.dueBy) && (query.after === null || position > query.after);
      return [...pending.values()].filter(isDue).slice(0, query.limit);
    },
    readLastProcessed: async () => null,
    reschedulePending: async (changes) => {
      order.push('rescheduled');
      const valid = changes.filter(({ eventId, from }) => {
        const event = pending.get(eventId);
        return event?.attempts === from.attempts && event.nextAttemptAt === from.nextAttemptAt;
      });
      for (const { eventId, to } of valid)
        pending.set(eventId, { ...(pending.get(eventId) ?? stale(Number(eventId))), ...to });
      return new Set(valid.map(({ eventId }) => eventId));
    },
    sendToQueue: async (packs) => {
      order.push('sent');
      sent.push(...packs.flat().map(idOf));
      return [];
    },
    countBacklog: async () => 0,
    isWaiting: () => false,
    markDead: async (marked) => {
      dead.push(...marked.map(({ eventId, code }) => ({ eventId, code })));
      for (const { eventId } of marked) pending.delete(eventId);
      return marked.length;
    },
    endUnreachable: async () => 0,
    checkGraph: async () => undefined,
    listTombstones: async () => [],
    holdTombstones: async () => undefined,
    removeTombstones: async (tombstones) => tombstones.length,
    unsettledAggregates: async () => new Set(),
    readRetentionSeconds: async () => 3_600,
    remainingMillis: () => 30_000,
    random: () => 0.5,
    log: {
      eventRepublished: ({ aggregateId, attempts }) => void logged.push(`${aggregateId} again, attempt ${attempts}`),
      eventExhausted: ({ aggregateId }) => void logged.push(`${aggregateId} exhausted`),
      eventUnreachable: (eventId, code) => void logged.push(`${eventId} ${code}`),
      eventNotRepublished: ({ aggregateId }) => void logged.push(`${aggregateId} left`),
    },
    ...given,
  };
  return { ports, pending, sent, dead, order, staleBefore, logged };
}

const idOf = ({ eventId }: Pointer) => eventId;
