/** Joins what an operator does with dead events to the databases: for a command, and for a server that stays. Redriving them is in `return-events.ts`. */
import type { Db } from 'mongodb';
import type { DeadList } from '../contract/dead-list.ts';
import type { DeadSelection } from '../contract/dead-selection.ts';
import { outboxCollection } from '../contract/outbox-event.ts';
import { groupDead, listDeadRows } from '../mongodb/find-dead.ts';

/** A group needs its events read, so that no more than these are grouped. */
const maxGrouped = 10_000;

/**
 * The dead events that are meant: by code and type, and the `limit` that died last.
 *
 * @throws Fault `mongodb-unavailable`.
 *
 * @example
 * const { groups, events } = await listDead(db, { codes: ['payload-invalid'], aggregateTypes: [], eventIds: [] }, 20);
 */
export async function listDead(db: Db, selection: DeadSelection, limit: number): Promise<DeadList> {
  const outbox = db.collection(outboxCollection);
  const [groups, events] = await Promise.all([
    groupDead(outbox, selection, maxGrouped),
    listDeadRows(outbox, selection, limit),
  ]);
  const grouped = groups.reduce((sum, group) => sum + group.events, 0);
  return { groups, isCapped: grouped >= maxGrouped, events };
}
