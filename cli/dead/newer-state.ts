/**
 * Whether events are overtaken: what is known of their aggregates that is newer, and so what becomes of the graph if
 * they are never applied.
 */
import type { Position } from '../../lib/contract/position.ts';

/**
 * - `applied`: the graph has a newer state, or knows a newer deletion; the event has no effect any more.
 * - `pending`: a newer event is on its way.
 * - `dead`: the newest event is another one, which is dead as well.
 * - `none`: it is the newest event that is known of its aggregate.
 */
export type NewerState = 'applied' | 'pending' | 'dead' | 'none';

/** An event's place; null where it has none, because it was written past the validator. */
export interface EventPlace {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly position: Position | null;
}

/** Both by aggregate id. */
export interface NewerPorts {
  /** The newest pending or dead event of each that has one. */
  readonly newestUnsettled: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, { readonly position: Position; readonly status: 'pending' | 'dead' }>>;
  /** The positions that the graph knows, of live and of deleted aggregates; without the graph, none. */
  readonly readPositions: (
    aggregateType: string,
    aggregateIds: readonly string[],
  ) => Promise<ReadonlyMap<string, Position>>;
}

const pageAggregates = 500;

/** What is newer than each of the events, in their order. @throws Fault of the ports. */
export async function newerStates(ports: NewerPorts, events: readonly EventPlace[]): Promise<readonly NewerState[]> {
  const states = new Map<EventPlace, NewerState>();
  for (const [aggregateType, ofType] of Map.groupBy(events, (event) => event.aggregateType)) {
    for (let start = 0; start < ofType.length; start += pageAggregates) {
      const page = ofType.slice(start, start + pageAggregates);
      const ids = [...new Set(page.map(({ aggregateId }) => aggregateId))];
      // The outbox first: what is applied in between is found in the graph then.
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
