/** Waits until all is written and nothing is pending any more: the end of each step of the main job. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Document } from 'mongodb';
import { type PendingFigures, readPending } from './outbox-figures.ts';
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
const maxBacklog = 2_000;
const backlogPollMillis = 50;

/** Resolves when the path has caught up with the writers. */
export async function untilBacklogIsShort(progress: WritingProgress, signal: AbortSignal): Promise<void> {
  while (progress.pending > maxBacklog) await sleep(backlogPollMillis, undefined, { signal });
}

/** What is waited for. */
export interface Draining {
  readonly outbox: Collection<Document>;
  /** The events that are waited for; all by default. */
  readonly filter?: Document;
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
export async function untilDrained({ outbox, filter = {}, writing, shown, signal }: Draining): Promise<void> {
  let outcome: { readonly error?: unknown } | undefined;
  (writing ?? Promise.resolve()).then(
    () => {
      outcome = {};
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  let leastPending = Number.POSITIVE_INFINITY;
  let leastAt = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      // Asked before the outbox is: what was written after that is seen the next time.
      const isWritten = outcome !== undefined;
      const moment = await readPending(outbox, filter);
      const { pending } = moment;
      if (shown !== undefined) showMoment(shown, moment);
      if (isWritten && pending === 0) return;
      if (!isWritten || pending < leastPending) {
        leastPending = pending;
        leastAt = performance.now();
      } else if (performance.now() - leastAt > stalledMillis) {
        process.stderr.write(`\n  No event was settled for ${stalledMillis / 1000} s; ${pending} are still pending.\n`);
        return;
      }
      await sleep(shown === undefined ? 50 : 250);
    }
  } finally {
    shown?.display.end();
  }
}

function showMoment({ progress, display }: NonNullable<Draining['shown']>, moment: PendingFigures): void {
  const { written } = progress;
  progress.pending = moment.pending;
  display.update({ written, applied: Math.max(0, written - moment.pending), ...moment });
}
