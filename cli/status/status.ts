/**
 * Takes the status: is the graph in step, and if not, where do events wait? Reads the outbox, the
 * publishers and the queue. Every read is bounded and uses an index, so it can run every few
 * seconds under load. It does not query the graph, which may be unavailable.
 */
import type { OutboxCounts } from '../../lib/outbox/outbox-counts.ts';
import { percentile } from '../../lib/runtime/percentile.ts';
import type { Canary } from '../../lib/sweep/canary.ts';
import { judgeStatus } from './judge-status.ts';
import type { SettledEvents, TypeCount } from './mongodb-read-status.ts';
import type { LagStatus, PublisherStatus, QueueStatus, StatusReport, TypeStatus } from './status-report.ts';

export interface StatusPorts {
  readonly readServerTime: () => Promise<Date>;
  /** Without canaries; counts up to `limit`. */
  readonly countOutbox: (limit: number) => Promise<Pick<OutboxCounts, 'pending' | 'dead' | 'oldestPending'>>;
  /** Of the oldest `limit` events. */
  readonly countByType: (status: 'pending' | 'dead', limit: number) => Promise<readonly TypeCount[]>;
  readonly readSettled: (since: Date, limit: number) => Promise<SettledEvents>;
  readonly readLastProcessed: () => Promise<Date | null>;
  readonly readLastCanary: () => Promise<Pick<Canary, 'createdAt' | 'processedAt'> | null>;
  /** With the last `owner`, even if its lease has expired. */
  readonly listPublishers: () => Promise<readonly PublisherStatus[]>;
  /** Null if the settings name no queue. */
  readonly readQueue: () => Promise<QueueStatus | null>;
  readonly readDeadLetterQueue: () => Promise<QueueStatus | null>;
}

export interface StatusOptions {
  /** The sweep republishes events that are pending for longer. */
  readonly staleSeconds: number;
}

const countLimit = 1_000_000;
const byTypeLimit = 10_000;
const settledLimit = 10_000;
const settledMillis = 300_000;
const rateMillis = 60_000;

/** @throws Fault `mongodb-unavailable` or `queue-unavailable`. */
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

function lagOf(events: SettledEvents['events']): LagStatus | null {
  const lags = events.map(({ lagMillis }) => Math.max(0, lagMillis)).sort((left, right) => left - right);
  const maxMillis = lags.at(-1);
  if (maxMillis === undefined) return null;
  const [p50Millis, p95Millis] = [percentile(lags, 0.5) ?? maxMillis, percentile(lags, 0.95) ?? maxMillis];
  return { events: lags.length, p50Millis, p95Millis, maxMillis };
}

/** The rate over the last minute, or over the part of it that was read. */
function rateOf({ events, isWhole }: SettledEvents, at: Date): number {
  const minuteAgo = before(at, rateMillis);
  const first = events.at(-1)?.processedAt;
  const since = isWhole || first === undefined || first < minuteAgo ? minuteAgo : first;
  const seconds = Math.max(1, (at.getTime() - since.getTime()) / 1_000);
  return events.filter(({ processedAt }) => processedAt >= since).length / seconds;
}

function before(at: Date, millis: number): Date {
  return new Date(at.getTime() - millis);
}
