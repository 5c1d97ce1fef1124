/**
 * Projects the pending events of a batch and groups them by aggregate. An event whose payload
 * cannot be projected is dead, and an older valid event of its aggregate takes its place.
 */
import { type DataFault, Fault, isDataFault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { RegistryKeys } from '../contract/registry-keys.ts';
import type { Subgraph } from '../contract/subgraph.ts';

/** An event that can be applied; `subgraph` is null for a delete. */
export interface ProjectedEvent {
  readonly event: OutboxEvent;
  readonly key: string;
  readonly subgraph: Subgraph | null;
}

/** An event that can never be applied as it is. */
export interface RefusedEvent {
  readonly event: OutboxEvent;
  readonly fault: DataFault;
}

/** An event that this process cannot project, but another one may. */
export interface DeferredEvent {
  readonly event: OutboxEvent;
  readonly fault: Fault;
}

/** Valid events by aggregate, newest first, and all other events. */
export interface ProjectedEvents {
  readonly byAggregate: ReadonlyMap<string, readonly ProjectedEvent[]>;
  readonly refused: readonly RefusedEvent[];
  readonly deferred: readonly DeferredEvent[];
}

/** Projects an event's payload. Throws a data fault, or `catalog-outdated`. */
export type ProjectEvent = (event: OutboxEvent) => Subgraph | null;

/** Projects each event once, and sorts the events of each aggregate newest first. */
export function projectEvents(
  events: readonly OutboxEvent[],
  project: ProjectEvent,
  keys: RegistryKeys,
): ProjectedEvents {
  const projected: ProjectedEvent[] = [];
  const refused: RefusedEvent[] = [];
  const deferred: DeferredEvent[] = [];
  for (const event of events) {
    try {
      projected.push({ event, key: keys.of(event), subgraph: project(event) });
    } catch (error) {
      if (isDataFault(error)) refused.push({ event, fault: error });
      else if (error instanceof Fault) deferred.push({ event, fault: error });
      else throw error;
    }
  }
  const byAggregate = Map.groupBy(projected, ({ key }) => key);
  for (const list of byAggregate.values())
    list.sort((left, right) => (left.event.position < right.event.position ? 1 : -1));
  return { byAggregate, refused, deferred };
}
