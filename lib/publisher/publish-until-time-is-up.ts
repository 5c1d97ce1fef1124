/**
 * The publisher's retries. It publishes again after every infrastructure fault until the time is
 * nearly up, so an outage of a second costs about a second, not the rest of the invocation.
 */
import { delayAfter } from '../runtime/back-off.ts';
import { handOverMillis, noCounts, type PublishCounts, type PublishReport } from './publish.ts';
import type { Sleep } from './send-all.ts';

/** The ports of `publishUntilTimeIsUp`. */
export interface RetryPorts {
  /** Takes the lease and publishes until something fails. */
  readonly publishOnce: (counts: PublishCounts) => Promise<PublishReport>;
  readonly sleep: Sleep;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly remainingMillis: () => number;
  readonly log: RetryLog;
}

export interface RetryLog {
  /** Publishing failed. It is retried after `retryMillis`; null: not in this invocation. */
  readonly publishingFailed: (error: unknown, retryMillis: number | null) => void;
  /** Another publisher took over while this one was stalled. This one now waits for the lease. */
  readonly leaseLost: () => void;
}

/** The back-off restarts when something is published. */
const failureMillis = { first: 100, most: 5_000 };

/**
 * Publishes until the time is nearly up, and retries after faults. `counts` increases meanwhile,
 * also if this throws.
 *
 * @throws the last fault, if nothing was published after it. The next invocation continues from the
 * checkpoint.
 */
export async function publishUntilTimeIsUp(ports: RetryPorts, counts = noCounts()): Promise<PublishReport> {
  let failures = 0;
  let last: { readonly error: unknown; readonly checkpoints: number } | null = null;
  for (;;) {
    const { checkpoints } = counts;
    const end = await ports.publishOnce(counts).catch((error: unknown) => ({ outcome: 'failed', error }) as const);
    if (end.outcome === 'failed') {
      last = { error: end.error, checkpoints: counts.checkpoints };
      failures = counts.checkpoints > checkpoints ? 1 : failures + 1;
      const retryMillis = delayAfter(failures, failureMillis) * (0.5 + ports.random() / 2);
      const inTime = ports.remainingMillis() - retryMillis >= handOverMillis;
      ports.log.publishingFailed(end.error, inTime ? retryMillis : null);
      if (!inTime) throw end.error;
      await ports.sleep(retryMillis);
    } else if (end.outcome === 'lease-lost' && ports.remainingMillis() >= handOverMillis) {
      ports.log.leaseLost();
    } else {
      // There was no time left to publish anything.
      if (end.outcome === 'handed-over' && last?.checkpoints === counts.checkpoints) throw last.error;
      return end;
    }
  }
}
