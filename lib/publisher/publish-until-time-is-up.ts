/**
 * The publisher's persistence: publishes again after every fault of the infrastructure, until the time is nearly up, so
 * that an outage of a second costs about a second, and not the rest of the invocation.
 */
import { leaveMillis, noCounts, type PublishCounts, type PublishReport } from './publish.ts';
import type { Sleep } from './send-all.ts';

/** What persisting needs. */
export interface PersistPorts {
  /** Takes the lease anew, and publishes for as long as nothing fails. */
  readonly publishOnce: (counts: PublishCounts) => Promise<PublishReport>;
  readonly sleep: Sleep;
  /** From 0 to 1, for the jitter. */
  readonly random: () => number;
  readonly remainingMillis: () => number;
  readonly log: PersistLog;
}

export interface PersistLog {
  /** Publishing failed; it goes on after a while, or, with null, not within this invocation. */
  readonly publishingFailed: (error: unknown, retryMillis: number | null) => void;
  /** Another publisher took over while this one was held up; this one stands by. */
  readonly leaseLost: () => void;
}

/** The first wait, doubled with each failure until something is published again, up to the maximum. */
const firstRetryMillis = 100;
const maxRetryMillis = 5_000;

/**
 * Publishes until the time is nearly up, whatever fails meanwhile. `counts` goes up as things happen, also when it
 * throws.
 *
 * @throws the last fault, if nothing was published after it: the next invocation goes on from the checkpoint.
 */
export async function publishUntilTimeIsUp(ports: PersistPorts, counts = noCounts()): Promise<PublishReport> {
  let failures = 0;
  let last: { readonly error: unknown; readonly checkpoints: number } | null = null;
  for (;;) {
    const { checkpoints } = counts;
    const end = await ports.publishOnce(counts).catch((error: unknown) => ({ outcome: 'failed', error }) as const);
    if (end.outcome === 'failed') {
      last = { error: end.error, checkpoints: counts.checkpoints };
      failures = counts.checkpoints > checkpoints ? 1 : failures + 1;
      const retryMillis = backOffMillis(failures, ports.random());
      const inTime = ports.remainingMillis() - retryMillis >= leaveMillis;
      ports.log.publishingFailed(end.error, inTime ? retryMillis : null);
      if (!inTime) throw end.error;
      await ports.sleep(retryMillis);
    } else if (end.outcome === 'lease-lost' && ports.remainingMillis() >= leaveMillis) {
      ports.log.leaseLost();
    } else {
      // It had no time left to do anything.
      if (end.outcome === 'handed-over' && last?.checkpoints === counts.checkpoints) throw last.error;
      return end;
    }
  }
}

function backOffMillis(failures: number, random: number): number {
  return Math.min(firstRetryMillis * 2 ** (failures - 1), maxRetryMillis) * (0.5 + random / 2);
}
