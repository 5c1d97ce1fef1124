/**
 * Joins what an operator does with dead events to the databases: for a command, and for a server that stays. Redriving
 * them is in `return-events.ts`.
 */
import type { Db } from 'mongodb';
import { Fault } from '../../lib/contract/fault.ts';
import { readAggregatePositions } from '../../lib/graph/neo4j-list-aggregates.ts';
import { discardedCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { newestUnsettled } from '../../lib/outbox/mongodb-unsettled.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { withGraph } from '../databases.ts';
import { toRelaxedJson } from '../terminal/relaxed-json.ts';
import { hintFor } from './code-hints.ts';
import type { DeadList } from './dead-list.ts';
import type { DeadSelection } from './dead-selection.ts';
import { type DiscardedRow, listDiscardedRows } from './mongodb-discarded.ts';
import { groupDead, listDeadRows } from './mongodb-find-dead.ts';
import { findEvent } from './mongodb-find-event.ts';
import { toDeadDetails } from './mongodb-read-dead-event.ts';
import { type EventPlace, type NewerState, newerStates } from './newer-state.ts';
import type { ShowResult } from './shown-event.ts';

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
  const outbox = outboxOf(db);
  const [groups, events] = await Promise.all([
    groupDead(outbox, selection, maxGrouped),
    listDeadRows(outbox, selection, limit),
  ]);
  const grouped = groups.reduce((sum, group) => sum + group.events, 0);
  return { groups, isCapped: grouped >= maxGrouped, events };
}

/** The discarded events that are meant, those discarded last first. @throws Fault `mongodb-unavailable`. */
export function listDiscarded(db: Db, selection: DeadSelection, limit: number): Promise<readonly DiscardedRow[]> {
  return listDiscardedRows(db.collection(discardedCollection), selection, limit);
}

/** What is to be shown of an event. */
export interface ShowOptions {
  /** Where it is asked whether the graph has a newer state; null: it is not. */
  readonly graph: GraphAddress | null;
  /** It may hold personal data. */
  readonly withPayload: boolean;
}

/**
 * All of one event that is dead, or was discarded.
 *
 * @throws Fault `mongodb-unavailable`; a graph that does not answer is told in the result.
 *
 * @example
 * const shown = await showDead(db, '66a0c0ffee0123456789abcd', { graph: settings, withPayload: false });
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

/**
 * What is newer than each event; where the graph does not answer, as far as the outbox knows.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readNewerStates(
  db: Db,
  graph: GraphAddress | null,
  events: readonly EventPlace[],
): Promise<{ readonly states: readonly NewerState[]; readonly graphUnread: string | null }> {
  const outbox = outboxOf(db);
  const unsettled = (type: string, ids: readonly string[]) => newestUnsettled(outbox, type, ids);
  const alone = async (graphUnread: string) => {
    const states = await newerStates({ newestUnsettled: unsettled, readPositions: async () => new Map() }, events);
    return { states, graphUnread };
  };
  if (graph === null) return alone('NEO4J_URI is not set');
  try {
    const states = await withGraph(db, graph, (driver) => {
      const readPositions = (type: string, ids: readonly string[]) =>
        readAggregatePositions(driver, graph.NEO4J_DATABASE, type, ids);
      return newerStates({ newestUnsettled: unsettled, readPositions }, events);
    });
    return { states, graphUnread: null };
  } catch (error) {
    // MongoDB's own faults come again at once.
    if (error instanceof Fault && error.retryable) return alone(error.message);
    throw error;
  }
}
