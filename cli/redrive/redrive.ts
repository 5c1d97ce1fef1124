/** Makes dead or processed events of the outbox pending again. */
import type { Db } from 'mongodb';
import { type ConflictDocument, forgetConflicts } from '../../lib/consumer/mongodb-failures.ts';
import { forgetTrials, type TrialDocument } from '../../lib/consumer/mongodb-trials.ts';
import { conflictCollection, trialCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { readRetentionSeconds } from '../../lib/outbox/mongodb-measure.ts';
import { paceOf, type Running } from '../databases.ts';
import type { DeadSelection } from '../dead/dead-selection.ts';
import { countDead, findDead } from '../dead/mongodb-find-dead.ts';
import { type ChangePorts, type ChangeReport, changeInParts } from '../throttle/change-in-parts.ts';
import { chunkFor } from '../throttle/pace.ts';
import { countProcessed, findProcessed, type ProcessedWindow } from './mongodb-find-processed.ts';
import { makePending } from './mongodb-make-pending.ts';

const maxEventsAtOnce = 500;

/** How many dead events are meant that died before `until`. @throws Fault `mongodb-unavailable`. */
export function countRedrive(db: Db, selection: DeadSelection, until: Date): Promise<number> {
  return countDead(outboxOf(db), selection, until);
}

/**
 * Makes the meant dead events pending again; what dies after `until` stays dead.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export function redrive(db: Db, selection: DeadSelection, until: Date, running: Running): Promise<ChangeReport> {
  const outbox = outboxOf(db);
  const trials = db.collection<TrialDocument>(trialCollection);
  const conflicts = db.collection<ConflictDocument>(conflictCollection);
  return runReturn(running, {
    find: (limit) => findDead(outbox, selection, until, limit),
    change: async (eventIds) => {
      // First: as soon as an event is pending it may be tried, and what it was met with before would count.
      await forgetTrials(trials, eventIds);
      await forgetConflicts(conflicts, eventIds);
      return makePending(outbox, 'dead', eventIds);
    },
  });
}

/** What redriving processed events would do. */
export interface ProcessedRedrivePlan {
  readonly events: number;
  /** The outbox holds what was processed from then on; what was processed before is purged. Null: nothing is. */
  readonly keptSince: Date | null;
}

/** @throws Fault `mongodb-unavailable`. */
export async function planProcessedRedrive(db: Db, window: ProcessedWindow): Promise<ProcessedRedrivePlan> {
  const outbox = outboxOf(db);
  const retentionSeconds = await readRetentionSeconds(outbox);
  const events = await countProcessed(outbox, window);
  return {
    events,
    keptSince: retentionSeconds === null ? null : new Date(window.until.getTime() - retentionSeconds * 1000),
  };
}

/** Makes the processed events of the window pending again. @throws Fault `mongodb-unavailable`. */
export function redriveProcessed(db: Db, window: ProcessedWindow, running: Running): Promise<ChangeReport> {
  const outbox = outboxOf(db);
  return runReturn(running, {
    find: (limit) => findProcessed(outbox, window, limit),
    change: (eventIds) => makePending(outbox, 'processed', eventIds),
  });
}

function runReturn(running: Running, ports: Pick<ChangePorts, 'find' | 'change'>): Promise<ChangeReport> {
  return changeInParts(
    { ...ports, pace: paceOf(running), isInterrupted: () => running.signal.aborted, progress: running.progress },
    chunkFor(running.ratePerSecond, maxEventsAtOnce),
  );
}
