/**
 * Waits until everything is written and nothing is pending: the end of each step of the main job.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection, Document } from 'mongodb';
import { type PendingFigures, readPending } from './outbox-figures.ts';
import type { ProgressDisplay } from './show-progress.ts';

/** The progress of the writers, and of the path after them. */
export interface WritingProgress {
  written: number;
  /** Pending events, updated a few times a second. */
  pending: number;
}

/**
 * Writers wait for the path while more events than this are pending. Otherwise, on a slow machine,
 * the lag would grow with every write.
 */
const maxBacklog = 2_000;
const backlogPollMillis = 50;

/** Resolves when the path has caught up with the writers. */
export async function untilBacklogIsShort(progress: WritingProgress, signal: AbortSignal): Promise<void> {
  while (progress.pending > maxBacklog) await sleep(backlogPollMillis, undefined, { signal });
}

/** Describes what to wait for. */
export interface Draining {
  readonly outbox: Collection<Document>;
  /** The events to wait for; by default, all. */
  readonly filter?: Document;
  /** The writing, if it is still running. */
  readonly writing?: Promise<unknown>;
  readonly shown?: { readonly progress: WritingProgress; readonly display: ProgressDisplay };
  readonly signal: AbortSignal;
}

/** If nothing was settled for this long, something is broken, and waiting longer would not help. */
const stalledMillis = 120_000;

/**
 * Shows the progress until everything is written and nothing is pending, or nothing is settled any
 * more.
 *
 * @throws any error of the writing.
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
  let lowestPending = Number.POSITIVE_INFINITY;
  let lowestAt = performance.now();
  try {
    for (;;) {
      signal.throwIfAborted();
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      // Check this before reading the outbox. Documents written after the read are seen next time.
      const isWritten = outcome !== undefined;
      const moment = await readPending(outbox, filter);
      const { pending } = moment;
      if (shown !== undefined) showMoment(shown, moment);
      if (isWritten && pending === 0) return;
      if (!isWritten || pending < lowestPending) {
        lowestPending = pending;
        lowestAt = performance.now();
      } else if (performance.now() - lowestAt > stalledMillis) {
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
