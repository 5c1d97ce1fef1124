/**
 * Reads the progress and the outcome of events from the outbox and from the consumer's log. Does
 * not count the sweep's canaries.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Collection, Document } from 'mongodb';
import { canaryAggregate } from '../lib/contract/canary.ts';

/** Counts at one moment. */
export interface OutboxFigures {
  readonly events: number;
  readonly pending: number;
  readonly processed: number;
  readonly dead: number;
  readonly republished: number;
}

/**
 * Milliseconds from the writer's clock in the event to the server's clock in the acknowledgement,
 * which follows the commit in Neo4j.
 */
export interface Lag {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Matches every event except the sweep's canaries. */
export const withoutCanaries = { aggregateType: { $ne: canaryAggregate.aggregateType } };

/** Counts the matching events by status. */
export async function readOutboxFigures(outbox: Collection<Document>, filter: Document = {}): Promise<OutboxFigures> {
  const rows = await outbox
    .aggregate<{ _id: string; count: number; attempts: number }>([
      { $match: { $and: [withoutCanaries, filter] } },
      { $group: { _id: '$status', count: { $sum: 1 }, attempts: { $sum: '$attempts' } } },
    ])
    .toArray();
  const count = (status: string) => rows.find((row) => row._id === status)?.count ?? 0;
  const [pending, processed, dead] = [count('pending'), count('processed'), count('dead')];
  const republished = rows.reduce((sum, row) => sum + row.attempts, 0);
  return { events: pending + processed + dead, pending, processed, dead, republished };
}

/** Pending events. */
export interface PendingFigures {
  readonly pending: number;
  /** The age of the oldest pending event, in seconds. */
  readonly lagSeconds: number;
}

/** Uses indexes with only unsettled events, so that it can run several times a second. */
export async function readPending(outbox: Collection<Document>, filter: Document = {}): Promise<PendingFigures> {
  const waiting = { ...withoutCanaries, ...filter, status: 'pending' };
  const pending = await outbox.countDocuments(waiting, { hint: 'outgraph_unsettled' });
  const oldest = await outbox.findOne(waiting, {
    sort: { position: 1 },
    projection: { createdAt: 1 },
    hint: 'outgraph_pending',
  });
  const lagSeconds = oldest === null ? 0 : (Date.now() - (oldest.createdAt as Date).getTime()) / 1000;
  return { pending, lagSeconds };
}

/** The lag of the matching processed events, in milliseconds. */
export async function readLag(outbox: Collection<Document>, filter: Document = {}): Promise<Lag> {
  const rows = await outbox
    .aggregate<{ lag: number }>([
      { $match: { $and: [{ ...withoutCanaries, status: 'processed' }, filter] } },
      { $project: { _id: 0, lag: { $toDouble: { $subtract: ['$processedAt', '$createdAt'] } } } },
      { $sort: { lag: 1 } },
    ])
    .toArray();
  const at = (share: number) => Math.round(rows[Math.min(rows.length - 1, Math.floor(rows.length * share))]?.lag ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** How many states took effect, as the consumer logged; null if its log is not available. */
export async function countApplied(
  outbox: Collection<Document>,
  logsFolder: string,
  consumer: string,
): Promise<number | null> {
  try {
    const log = await readFile(path.join(logsFolder, `${consumer}.log`), 'utf8');
    const reports = log.split('\n').filter((line) => line.includes('"batch consumed"'));
    const applied = reports.reduce((sum, line) => sum + (JSON.parse(line) as { applied: number }).applied, 0);
    // Every canary took effect, because the next one is written a minute later.
    return applied - (await outbox.countDocuments({ ...canaryAggregate, status: 'processed' }));
  } catch {
    return null;
  }
}
