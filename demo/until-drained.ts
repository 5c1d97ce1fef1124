/** Waits until all is written and nothing is pending any more: the end of each step of the main job. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Document } from 'mongodb';
import { readOutboxFigures, withoutCanaries } from './outbox-figures.ts';
import type { ProgressDisplay } from './show-progress.ts';

/** How far the writing is, and how far the path behind it. */
export interface WritingProgress {
  written: number;
  /** Events that wait for the path; brought up to date a few times a second. */
  pending: number;
}

/**
 * Writers wait for the path when more events than these are pending: on a slow machine, the lag would grow with every
 * write.
 */
const maxBacklog = 1_000;
const backlogPollMillis = 50;

/** Resolves when the path has caught up with the writers. */
export async function untilBacklogIsShort(progress: WritingProgress, signal: AbortSignal): Promise<void> {
  while (progress.pending > maxBacklog) await sleep(backlogPollMillis, undefined, { signal });
}

/** What is waited for. */
export interface Draining {
  readonly outbox: Collection<Document>;
  /** The events that count. */
  readonly filter: Document;
  /** What is still being written, if not all is. */
  readonly writing?: Promise<unknown>;
  readonly shown?: { readonly progress: WritingProgress; readonly display: ProgressDisplay };
  readonly signal: AbortSignal;
}

/** Nothing was settled for this long: something is broken, and waiting on would not mend it. */
const stalledMillis = 120_000;

/**
 * Shows the progress until all is written and nothing is pending, or nothing moves any more.
 *
 * @throws what the writing throws.
 */
export async function untilDrained({ outbox, filter, writing, shown, signal }: Draining): Promise<void> {
  let outcome: { readonly error?: unknown } | undefined;
  (writing ?? Promise.resolve()).then(
    () => {
      outcome = {};
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  let settled = 0;
  let settledAt = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      // Asked before the outbox is: what was written after that is seen the next time.
      const written = outcome !== undefined;
      const lagSeconds = await oldestPendingSeconds(outbox);
      const { processed, dead, pending } = await readOutboxFigures(outbox, filter);
      if (shown !== undefined) shown.progress.pending = pending;
      shown?.display.update({ written: shown.progress.written, applied: processed, pending, lagSeconds });
      if (written && pending === 0) return;
      if (processed + dead > settled) {
        settled = processed + dead;
        settledAt = performance.now();
      } else if (written && performance.now() - settledAt > stalledMillis) {
        process.stderr.write(`\n  No event was settled for ${stalledMillis / 1000} s; ${pending} are still pending.\n`);
        return;
      }
      await sleep(shown === undefined ? 50 : 250);
    }
  } finally {
    shown?.display.end();
  }
}

async function oldestPendingSeconds(outbox: Collection<Document>): Promise<number> {
  const oldest = await outbox.findOne(
    { ...withoutCanaries, status: 'pending' },
    { sort: { position: 1 }, projection: { createdAt: 1 } },
  );
  return oldest === null ? 0 : (Date.now() - (oldest.createdAt as Date).getTime()) / 1000;
}
