/** Plans and runs the discarding of dead events. */
import type { Db } from 'mongodb';
import { aggregateKey } from '../../lib/contract/outbox-event.ts';
import { discardedCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { readServerTime } from '../../lib/outbox/mongodb-measure.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { checkDiscarded } from '../../lib/set-up/mongodb-outbox.ts';
import { inTransaction } from '../../lib/writer/in-transaction.ts';
import { paceOf, type Running } from '../databases.ts';
import { type ChangeReport, changeInChunks } from '../throttle/change-in-chunks.ts';
import { chunkFor } from '../throttle/pace.ts';
import type { DeadSelection } from './dead-event.ts';
import { moveToDiscarded, translateDuplicate } from './mongodb-discarded.ts';
import { countDead, findDead, listDeadDetails } from './mongodb-find-dead.ts';
import { readNewerStates } from './newer-state.ts';

/** Few enough for a short transaction. */
const maxEventsAtOnce = 100;

/** At most this many events are checked for newer ones. */
const maxChecked = 10_000;

/** What a discard would do. */
export interface DiscardPlan {
  readonly events: number;
  /**
   * Aggregates (`type:id`) whose newest event is discarded. The graph stays behind their documents.
   */
  readonly behind: readonly string[];
  /** Only the events that died first were checked. */
  readonly isCapped: boolean;
  /**
   * Why the graph was not queried; null if it was. Without it, `behind` includes aggregates whose
   * newer events were purged.
   */
  readonly graphUnread: string | null;
}

/** @throws Fault `set-up-missing` or `mongodb-unavailable`. */
export async function planDiscard(
  db: Db,
  graph: GraphAddress | null,
  selection: DeadSelection,
  until: Date,
): Promise<DiscardPlan> {
  await checkDiscarded(db);
  const outbox = outboxOf(db);
  const events = await countDead(outbox, selection, until);
  if (events === 0) return { events, behind: [], isCapped: false, graphUnread: null };
  const checked = await listDeadDetails(outbox, selection, until, maxChecked);
  const { states, graphUnread } = await readNewerStates(db, graph, checked);
  const behind = checked.filter((_, index) => states[index] === 'none').map(aggregateKey);
  return { events, behind: [...new Set(behind)], isCapped: events > checked.length, graphUnread };
}

/**
 * Moves the selected events that died before `until` from the outbox to `outboxDiscarded`, one
 * chunk per transaction. If it is interrupted, every event is in exactly one of the two
 * collections.
 *
 * @throws Fault `mongodb-unavailable`; moved events stay moved.
 */
export function discard(
  db: Db,
  selection: DeadSelection,
  until: Date,
  reason: string,
  running: Running,
): Promise<ChangeReport> {
  const outbox = outboxOf(db);
  const discarded = db.collection(discardedCollection);
  return changeInChunks(
    {
      find: (limit) => findDead(outbox, selection, until, limit),
      change: (eventIds) =>
        withMongodbFaults(() =>
          inTransaction(db.client, undefined, async (session) => {
            // Read it at each attempt: the transaction of a killed run can delay this one by up to
            // a minute.
            const discardedAt = await readServerTime(outbox);
            return moveToDiscarded(outbox, discarded, session, eventIds, { reason, discardedAt });
          }).catch((error: unknown) => {
            throw translateDuplicate(error);
          }),
        ),
      pace: paceOf(running),
      isInterrupted: () => running.signal.aborted,
      progress: running.progress,
    },
    chunkFor(running.ratePerSecond, maxEventsAtOnce),
  );
}
