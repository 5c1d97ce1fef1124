/** Makes dead or processed events of the outbox pending again. */
import type { Db } from 'mongodb';
import { type ConflictDocument, forgetConflicts } from '../../lib/consumer/mongodb-failures.ts';
import { forgetTrials, type TrialDocument } from '../../lib/consumer/mongodb-trials.ts';
import { conflictCollection, trialCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { readKeptSince } from '../../lib/outbox/mongodb-measure.ts';
import { paceOf, type Running, readOutboxTime } from '../databases.ts';
import type { DeadSelection } from '../dead/dead-event.ts';
import { countDead, findDead } from '../dead/mongodb-find-dead.ts';
import { type ChangePorts, type ChangeReport, changeInChunks } from '../throttle/change-in-chunks.ts';
import { chunkFor } from '../throttle/pace.ts';
import { countProcessed, findProcessed, makePending, type ProcessedWindow } from './mongodb-redrive.ts';

const maxEventsAtOnce = 500;

/**
 * Counts the selected dead events. `until` is the current time.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function planRedrive(
  db: Db,
  selection: DeadSelection,
): Promise<{ readonly events: number; readonly until: Date }> {
  const until = await readOutboxTime(db);
  return { events: await countDead(outboxOf(db), selection, until), until };
}

/**
 * Makes the selected dead events pending again. Events that die after `until` stay dead.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export function redrive(db: Db, selection: DeadSelection, until: Date, running: Running): Promise<ChangeReport> {
  const outbox = outboxOf(db);
  const trials = db.collection<TrialDocument>(trialCollection);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  return redriveInChunks(running, {
    find: (limit) => findDead(outbox, selection, until, limit),
    change: async (eventIds) => {
      // Do this first: a pending event may be tried immediately, and its earlier failures would
      // count.
      await forgetTrials(trials, eventIds);
      await forgetConflicts(conflicts, eventIds);
      return makePending(outbox, 'dead', eventIds);
    },
  });
}

/** The effect of redriving processed events. */
export interface ProcessedRedrivePlan {
  readonly events: number;
  /** Events processed before this time were purged; null if none were. */
  readonly keptSince: Date | null;
}

/** @throws Fault `mongodb-unavailable`. */
export async function planProcessedRedrive(db: Db, window: ProcessedWindow): Promise<ProcessedRedrivePlan> {
  const outbox = outboxOf(db);
  return { events: await countProcessed(outbox, window), keptSince: await readKeptSince(outbox, window.until) };
}

/** Makes the processed events of the window pending again. @throws Fault `mongodb-unavailable`. */
export function redriveProcessed(db: Db, window: ProcessedWindow, running: Running): Promise<ChangeReport> {
  const outbox = outboxOf(db);
  return redriveInChunks(running, {
    find: (limit) => findProcessed(outbox, window, limit),
    change: (eventIds) => makePending(outbox, 'processed', eventIds),
  });
}

function redriveInChunks(running: Running, ports: Pick<ChangePorts, 'find' | 'change'>): Promise<ChangeReport> {
  return changeInChunks(
    { ...ports, pace: paceOf(running), isInterrupted: () => running.signal.aborted, progress: running.progress },
    chunkFor(running.ratePerSecond, maxEventsAtOnce),
  );
}
