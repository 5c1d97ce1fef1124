/** What the alarms watch: counts, ages and lags of the outbox, each from one indexed read. */

import type { OutboxCounts } from '../outbox/outbox-counts.ts';
import { percentile } from '../runtime/percentile.ts';

/** What measuring needs. */
export interface MeasurePorts {
  /** Counts no further than `limit`. */
  readonly countOutbox: (limit: number) => Promise<OutboxCounts>;
  /**
   * Milliseconds from `createdAt` to `processedAt` of the newest events processed since then, at most `limit`; without
   * canaries.
   */
  readonly readApplyLags: (since: Date, limit: number) => Promise<readonly number[]>;
  /** When a publisher last wrote a checkpoint; null where none ever did. */
  readonly readPublisherActivity: () => Promise<Date | null>;
}

/** The figures of one moment, of the users' events; null where there is nothing to tell. */
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

/** Measures; `pendingCanaries` come apart, because nobody but the budget counts them. */
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
