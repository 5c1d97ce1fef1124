/** Lists dead and discarded events, and reads single events, for the commands and the console. */
import type { Db } from 'mongodb';
import { discardedCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { toRelaxedJson } from '../terminal/relaxed-json.ts';
import { hintFor } from './code-hints.ts';
import type { DeadList, DeadSelection, ShowResult } from './dead-event.ts';
import { type DiscardedRow, listDiscardedRows } from './mongodb-discarded.ts';
import { findEvent, groupDead, listDeadRows, toDeadDetails } from './mongodb-find-dead.ts';
import { readNewerStates } from './newer-state.ts';

/** Grouping reads the events, so at most this many are grouped. */
const maxGrouped = 10_000;

/**
 * Lists the selected dead events: counts by code and type, and the `limit` that died last.
 *
 * @throws Fault `mongodb-unavailable`.
 *
 * @example
 * const selection = { codes: ['payload-invalid'], aggregateTypes: [], eventIds: [] };
 * const { groups, events } = await listDead(db, selection, 20);
 */
export async function listDead(db: Db, selection: DeadSelection, limit: number): Promise<DeadList> {
  const outbox = outboxOf(db);
  const [groups, events] = await Promise.all([
    groupDead(outbox, selection, maxGrouped),
    listDeadRows(outbox, selection, limit),
  ]);
  const grouped = groups.reduce((sum, group) => sum + group.events, 0);
  return { groups, isCapped: grouped >= maxGrouped, events };
}

/** The selected discarded events, newest first. @throws Fault `mongodb-unavailable`. */
export function listDiscarded(db: Db, selection: DeadSelection, limit: number): Promise<readonly DiscardedRow[]> {
  return listDiscardedRows(db.collection(discardedCollection), selection, limit);
}

export interface ShowOptions {
  /** The graph to query for a newer state; null to query none. */
  readonly graph: GraphAddress | null;
  /** The payload may hold personal data. */
  readonly withPayload: boolean;
}

/**
 * Reads one event that is dead or was discarded.
 *
 * @throws Fault `mongodb-unavailable`. If the graph does not answer, the result says so.
 *
 * @example
 * const shown = await showDead(db, '66a0c0ffee0123456789abcd', { graph, withPayload: false });
 */
export async function showDead(db: Db, eventId: string, { graph, withPayload }: ShowOptions): Promise<ShowResult> {
  const inOutbox = await findEvent(outboxOf(db), eventId);
  const document = inOutbox ?? (await findEvent(db.collection(discardedCollection), eventId));
  if (document === null) return { outcome: 'unknown' };
  if (document.status !== 'dead') return { outcome: 'not-dead', status: String(document.status) };
  const event = toDeadDetails(document);
  const { states, graphUnread } = await readNewerStates(db, graph, [event]);
  return {
    outcome: 'found',
    event,
    hint: hintFor(event.code),
    newer: states[0] ?? 'none',
    graphUnread,
    discarded: inOutbox === null ? { at: document.discardedAt, reason: String(document.reason) } : null,
    payload: withPayload ? toRelaxedJson(document.payload ?? null) : null,
  };
}
