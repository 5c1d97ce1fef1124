/** Measures the alarms' figures: the outbox's counts, ages and lags, each with one indexed read. */

import type { OutboxCounts } from '../outbox/outbox-counts.ts';
import { percentile } from '../runtime/percentile.ts';

/** The ports of `measure`. */
export interface MeasurePorts {
  /** Counts up to `limit`. */
  readonly countOutbox: (limit: number) => Promise<OutboxCounts>;
  /**
   * Returns the milliseconds from `createdAt` to `processedAt` of the newest events processed since
   * then, up to `limit` of them and without canaries.
   */
  readonly readApplyLags: (since: Date, limit: number) => Promise<readonly number[]>;
  /** Returns when a publisher last wrote a checkpoint; null before the first. */
  readonly readPublisherActivity: () => Promise<Date | null>;
}

/** The current figures of the users' events; null if there is no value. */
export interface OutboxFigures {
  /** Up to a million. */
  readonly pending: number;
  /** Up to a million. */
  readonly dead: number;
  readonly oldestPendingSeconds: number;
  readonly applyLagP50Millis: number | null;
  readonly applyLagP99Millis: number | null;
  readonly publisherSilenceSeconds: number | null;
}

const countLimit = 1_000_000;
const lagWindowMillis = 60_000;
const lagMaxEvents = 10_000;

/** Measures. `pendingCanaries` is separate, because only the republish budget counts them. */
export async function measure(
  ports: MeasurePorts,
  now: Date,
): Promise<{ readonly figures: OutboxFigures; readonly pendingCanaries: number }> {
  const { pending, pendingCanaries, dead, oldestPending } = await ports.countOutbox(countLimit);
  const lags = await ports.readApplyLags(new Date(now.getTime() - lagWindowMillis), lagMaxEvents);
  const sorted = lags.map((lag) => Math.max(0, lag)).sort((left, right) => left - right);
  const publisherActiveAt = await ports.readPublisherActivity();
  return {
    pendingCanaries,
    figures: {
      pending,
      dead,
      oldestPendingSeconds: oldestPending === null ? 0 : secondsSince(oldestPending, now),
      applyLagP50Millis: percentile(sorted, 0.5),
      applyLagP99Millis: percentile(sorted, 0.99),
      publisherSilenceSeconds: publisherActiveAt === null ? null : secondsSince(publisherActiveAt, now),
    },
  };
}

function secondsSince(then: Date, now: Date): number {
  return Math.max(0, (now.getTime() - then.getTime()) / 1000);
}
