/** Joins the discarding of dead events to the databases. */
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
import { type ChangeReport, changeInParts } from '../throttle/change-in-parts.ts';
import { chunkFor } from '../throttle/pace.ts';
import type { DeadSelection } from './dead-selection.ts';
import { moveToDiscarded, translateDuplicate } from './mongodb-discarded.ts';
import { countDead, findDead, listDeadPlaces } from './mongodb-find-dead.ts';
import { readNewerStates } from './wiring.ts';

/** Few enough that a transaction is short. */
const maxEventsAtOnce = 100;

/** So many events are looked at for what is newer. */
const maxLookedAt = 10_000;

/** What a discard would do. */
export interface DiscardPlan {
  readonly events: number;
  /** Aggregates (`type:id`) of which one of the events is the newest: the graph stays behind their documents. */
  readonly behind: readonly string[];
  /** Only the events that died first were looked at for that. */
  readonly isCapped: boolean;
  /** Why the graph was not asked, so that `behind` has also those whose newer events are purged; null where it was. */
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
  const places = await listDeadPlaces(outbox, selection, until, maxLookedAt);
  const { states, graphUnread } = await readNewerStates(db, graph, places);
  const behind = places.filter((_, index) => states[index] === 'none').map(aggregateKey);
  return { events, behind: [...new Set(behind)], isCapped: events > places.length, graphUnread };
}

/**
 * Moves the meant events that died before `until` from the outbox to the discarded ones, each part in one transaction:
 * ended at any point, every event is in exactly one of the two.
 *
 * @throws Fault `mongodb-unavailable`; what was moved stays moved.
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
  return changeInParts(
    {
      find: (limit) => findDead(outbox, selection, until, limit),
      change: (eventIds) =>
        withMongodbFaults(() =>
          inTransaction(db.client, undefined, async (session) => {
            // Each attempt anew: what a killed run has left open is waited for, up to a minute.
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
