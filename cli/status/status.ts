/**
 * Is the graph in step, and if not, where does it wait? One look at the outbox, the publishers and the queue, each read
 * bounded and by index, so that it may be taken every few seconds while writers write; the graph is not asked, because
 * it may be what is away.
 */
import { percentile } from '../../lib/runtime/percentile.ts';
import { judgeStatus } from './judge-status.ts';
import type { LagStatus, PublisherStatus, QueueStatus, StatusReport, TypeStatus } from './status-report.ts';

/** Counts of one type. */
interface TypeCount {
  readonly aggregateType: string;
  readonly events: number;
  readonly oldestAt: Date;
}

/** Events that were settled, the last first. */
interface Settled {
  readonly events: readonly { readonly processedAt: Date; readonly lagMillis: number }[];
  /** They are all since then. */
  readonly isWhole: boolean;
}

export interface StatusPorts {
  readonly readServerTime: () => Promise<Date>;
  /** Without canaries; counts no further than `limit`. */
  readonly countOutbox: (
    limit: number,
  ) => Promise<{ readonly pending: number; readonly dead: number; readonly oldestPending: Date | null }>;
  /** Of the oldest events, no more than `limit` in all. */
  readonly countByType: (status: 'pending' | 'dead', limit: number) => Promise<readonly TypeCount[]>;
  readonly readSettled: (since: Date, limit: number) => Promise<Settled>;
  readonly readLastProcessed: () => Promise<Date | null>;
  readonly readLastCanary: () => Promise<{ readonly createdAt: Date; readonly processedAt: Date | null } | null>;
  /** `owner` also where its lease has run out. */
  readonly listPublishers: () => Promise<readonly PublisherStatus[]>;
  /** Null where the settings name none. */
  readonly readQueue: () => Promise<QueueStatus | null>;
  readonly readDeadLetterQueue: () => Promise<QueueStatus | null>;
}

export interface StatusOptions {
  /** The sweep publishes again what is pending for longer. */
  readonly staleSeconds: number;
}

const countLimit = 1_000_000;
const byTypeLimit = 10_000;
const settledLimit = 10_000;
const settledMillis = 300_000;
const rateMillis = 60_000;

/** Looks once. @throws Fault `mongodb-unavailable` or `queue-unavailable`. */
export async function takeStatus(ports: StatusPorts, options: StatusOptions): Promise<StatusReport> {
  const at = await ports.readServerTime();
  const [counts, pendingTypes, deadTypes, settled, lastSettledAt, canary, publishers, queue, deadLetterQueue] =
    await Promise.all([
      ports.countOutbox(countLimit),
      ports.countByType('pending', byTypeLimit),
      ports.countByType('dead', byTypeLimit),
      ports.readSettled(before(at, settledMillis), settledLimit),
      ports.readLastProcessed(),
      ports.readLastCanary(),
      ports.listPublishers(),
      ports.readQueue(),
      ports.readDeadLetterQueue(),
    ]);
  const facts = {
    at,
    pending: counts.pending,
    dead: counts.dead,
    types: joinTypes(pendingTypes, deadTypes),
    isCapped: sumOf(pendingTypes) >= byTypeLimit || sumOf(deadTypes) >= byTypeLimit,
    queue,
    deadLetterQueue,
    publishers: publishers.map((one) => (one.leaseExpiresAt < at ? { ...one, owner: null } : one)),
    lag: lagOf(settled.events.filter(({ processedAt }) => processedAt >= before(at, rateMillis))),
    settledPerSecond: rateOf(settled, at),
    lastSettledAt,
    canary: canary && { writtenAt: canary.createdAt, processedAt: canary.processedAt },
  };
  const slowestMillis = lagOf(settled.events)?.maxMillis ?? null;
  const findings = { ...facts, oldestPendingAt: counts.oldestPending, slowestMillis };
  return { ...facts, ...judgeStatus(findings, options) };
}

function joinTypes(pending: readonly TypeCount[], dead: readonly TypeCount[]): readonly TypeStatus[] {
  const waiting = new Map(pending.map((one) => [one.aggregateType, one]));
  const ended = new Map(dead.map((one) => [one.aggregateType, one.events]));
  return [...new Set([...waiting.keys(), ...ended.keys()])].sort().map((aggregateType) => ({
    aggregateType,
    pending: waiting.get(aggregateType)?.events ?? 0,
    oldestPendingAt: waiting.get(aggregateType)?.oldestAt ?? null,
    dead: ended.get(aggregateType) ?? 0,
  }));
}

function sumOf(counts: readonly TypeCount[]): number {
  return counts.reduce((sum, { events }) => sum + events, 0);
}

function lagOf(events: Settled['events']): LagStatus | null {
  const lags = events.map(({ lagMillis }) => Math.max(0, lagMillis)).sort((left, right) => left - right);
  const maxMillis = lags.at(-1);
  if (maxMillis === undefined) return null;
  const [p50Millis, p95Millis] = [percentile(lags, 0.5) ?? maxMillis, percentile(lags, 0.95) ?? maxMillis];
  return { events: lags.length, p50Millis, p95Millis, maxMillis };
}

/** Over the last minute, or over as much of it as was looked at. */
function rateOf({ events, isWhole }: Settled, at: Date): number {
  const minuteAgo = before(at, rateMillis);
  const first = events.at(-1)?.processedAt;
  const since = isWhole || first === undefined || first < minuteAgo ? minuteAgo : first;
  const seconds = Math.max(1, (at.getTime() - since.getTime()) / 1_000);
  return events.filter(({ processedAt }) => processedAt >= since).length / seconds;
}

function before(at: Date, millis: number): Date {
  return new Date(at.getTime() - millis);
}
