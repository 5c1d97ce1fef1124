/**
 * Finds out whether events are superseded by a newer state of their aggregates. If not, the graph
 * stays behind.
 */
import type { Db } from 'mongodb';
import { Fault } from '../../lib/contract/fault.ts';
import type { Position } from '../../lib/contract/position.ts';
import { readAggregatePositions } from '../../lib/graph/neo4j-list-aggregates.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { newestUnsettled } from '../../lib/outbox/mongodb-unsettled.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { keysIn, withGraph } from '../databases.ts';
import type { NewerState } from './dead-event.ts';

/** `position` is null if the event bypassed the validator without one. */
export interface EventPlace {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly position: Position | null;
}

/** Both results are by aggregate id. */
export interface NewerPorts {
  /** The newest pending or dead event of each aggregate that has one. */
  readonly newestUnsettled: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly position: Position; readonly status: 'pending' | 'dead' }>>;
  /** The graph's positions of live and deleted aggregates; empty without the graph. */
  readonly readPositions: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, Position>>;
}

const pageAggregates = 500;

/** The newer state for each event, in their order. @throws Fault of the ports. */
export async function newerStates(ports: NewerPorts, events: readonly EventPlace[]): Promise<readonly NewerState[]> {
  const states = new Map<EventPlace, NewerState>();
  for (const [aggregateType, ofType] of Map.groupBy(events, (event) => event.aggregateType)) {
    for (let start = 0; start < ofType.length; start += pageAggregates) {
      const page = ofType.slice(start, start + pageAggregates);
      const ids = [...new Set(page.map(({ aggregateId }) => aggregateId))];
      // Read the outbox first: an event that is applied in between is then found in the graph.
      const unsettled = await ports.newestUnsettled(aggregateType, ids);
      const known = await ports.readPositions(aggregateType, ids);
      for (const event of page)
        states.set(event, stateOf(event, unsettled.get(event.aggregateId), known.get(event.aggregateId)));
    }
  }
  return events.map((event) => states.get(event) ?? 'none');
}

function stateOf(
  { position }: EventPlace,
  newest: { readonly position: Position; readonly status: 'pending' | 'dead' } | undefined,
  known: Position | undefined,
): NewerState {
  if (position === null) return 'none';
  if (known !== undefined && known > position) return 'applied';
  return newest !== undefined && newest.position > position ? newest.status : 'none';
}

/**
 * The newer state for each event. If the graph does not answer, only the outbox counts.
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
  const fromOutbox = async (graphUnread: string) => {
    const states = await newerStates({ newestUnsettled: unsettled, readPositions: async () => new Map() }, events);
    return { states, graphUnread };
  };
  if (graph === null) return fromOutbox('NEO4J_URI is not set');
  try {
    const states = await withGraph(db, graph, (driver) => {
      const readPositions = (type: string, ids: readonly string[]) =>
        readAggregatePositions(driver, graph.NEO4J_DATABASE, keysIn(graph), type, ids);
      return newerStates({ newestUnsettled: unsettled, readPositions }, events);
    });
    return { states, graphUnread: null };
  } catch (error) {
    // The next read throws a fault of MongoDB itself again.
    if (error instanceof Fault && error.retryable) return fromOutbox(error.message);
    throw error;
  }
}
