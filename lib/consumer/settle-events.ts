/**
 * Settles events: each one becomes applied, superseded, dead, in conflict, or failed for now. Only
 * the newest valid event of each aggregate is applied. If another aggregate holds an element that
 * the event claims, the flow fetches that aggregate's pending events and applies all dependent
 * events in one transaction. If the newest event still cannot be applied, the next older one takes
 * its place.
 */

import type { DataFaultCode, Fault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import type { AggregateState } from '../graph/aggregate-state.ts';
import type { AggregateResult, BatchOptions, BatchResults } from '../graph/apply-batch.ts';
import type { Conflict } from '../graph/conflict.ts';
import type { GraphPorts } from '../graph/ports.ts';
import { connectedGroups } from './connected-groups.ts';
import { type ProjectEvent, type ProjectedEvent, projectEvents } from './select-newest.ts';

/** The ports of `settleEvents`. */
export interface SettlePorts extends Pick<GraphPorts, 'applyBatch' | 'findSharers'> {
  readonly project: ProjectEvent;
  /** The keys of the outbox's aggregates; by default, those of an outbox without a source. */
  readonly keys?: RegistryKeys;
  /** Returns a few of the newest pending events of each given aggregate. */
  readonly fetchPending: (aggregateKeys: readonly string[]) => Promise<readonly OutboxEvent[]>;
}

/** The outcome of one event. */
export type EventOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | {
      readonly outcome: 'dead';
      readonly code: DataFaultCode;
      readonly message: string;
      /** The error that the projection threw. */
      readonly thrown?: unknown;
    }
  | { readonly outcome: 'conflict'; readonly conflict: Conflict }
  | { readonly outcome: 'failed'; readonly fault: Fault };

/**
 * Outcomes by event id. They may include events that were not requested: those of node holders that
 * were applied to resolve a conflict.
 */
export interface Settlement {
  readonly outcomes: Map<string, EventOutcome>;
  readonly events: Map<string, OutboxEvent>;
}

/**
 * How many levels of holders to follow. Nodes that move in a circle of up to 25 aggregates find
 * their new owners.
 */
const conflictRounds = 25;

/**
 * Settles the events into `settlement`, which keeps the outcomes so far even if this throws.
 *
 * @throws Fault other than a data fault: events without an outcome must be retried later.
 */
export async function settleEvents(
  events: readonly OutboxEvent[],
  ports: SettlePorts,
  settlement: Settlement,
): Promise<void> {
  const settling = new Settling(ports, settlement);
  let aggregates = settling.project(events);
  while (aggregates.length > 0) {
    await settling.applyNewest(aggregates);
    aggregates = aggregates.map((events) => settling.olderOf(events)).filter((events) => events !== undefined);
  }
}

/** The valid events of one aggregate, newest first; never empty. */
type AggregateEvents = readonly [ProjectedEvent, ...(readonly ProjectedEvent[])];

/** The state of one call. */
class Settling {
  readonly #ports: SettlePorts;
  readonly #keys: RegistryKeys;
  readonly #settlement: Settlement;
  /** Holders whose pending events were fetched. */
  readonly #fetched = new Set<string>();

  constructor(ports: SettlePorts, settlement: Settlement) {
    this.#ports = ports;
    this.#keys = ports.keys ?? withoutSource;
    this.#settlement = settlement;
  }

  /** Marks events that cannot be projected dead and returns the others by aggregate. */
  project(events: readonly OutboxEvent[]): readonly AggregateEvents[] {
    for (const event of events) this.#settlement.events.set(event.eventId, event);
    const { byAggregate, refused, deferred } = projectEvents(events, this.#ports.project, this.#keys);
    for (const { event, fault } of deferred) this.#settlement.outcomes.set(event.eventId, { outcome: 'failed', fault });
    for (const { event, fault } of refused) {
      const thrown = fault.cause === undefined ? {} : { thrown: fault.cause };
      this.#settlement.outcomes.set(event.eventId, {
        outcome: 'dead',
        code: fault.code,
        message: fault.message,
        ...thrown,
      });
    }
    return [...byAggregate.values()].flatMap(([newest, ...older]): AggregateEvents[] =>
      newest ? [[newest, ...older]] : [],
    );
  }

  /** The events without the newest one, if it cannot be applied now and there is an older one. */
  olderOf([newest, ...older]: AggregateEvents): AggregateEvents | undefined {
    const outcome = this.#outcomeOf(newest)?.outcome;
    const [next, ...rest] = older.filter(({ event }) => !this.#settlement.outcomes.has(event.eventId));
    return (outcome === 'dead' || outcome === 'conflict') && next !== undefined ? [next, ...rest] : undefined;
  }

  /**
   * Applies the newest event of each aggregate, together with the events that conflicting ones
   * depend on.
   */
  async applyNewest(aggregates: readonly AggregateEvents[]): Promise<void> {
    await this.#apply(aggregates);
    let known = new Map(aggregates.map((events) => [events[0].key, this.#withoutDead(events)]));
    const tried = new Set<string>();
    for (let round = 1; round <= conflictRounds; round += 1) {
      const conflicts = [...known.values()].flatMap(([newest]) => this.#conflictOf(newest) ?? []);
      if (conflicts.length === 0) return;
      const edges = await this.#holdersOf(conflicts);
      const fetched = await this.#fetchHolders(edges.map(([, holder]) => holder).filter((key) => !known.has(key)));
      known = new Map([...known, ...fetched.map((events): [string, AggregateEvents] => [events[0].key, events])]);
      const applied = [...known.values()].filter(([newest]) => this.#isApplied(newest)).length;
      const open = new Map([...known].filter(([, [newest]]) => !this.#isApplied(newest)));
      const groups = connectedGroups(
        conflicts.map(({ refused }) => refused),
        edges.filter(([, holder]) => open.has(holder)),
      ).map((keys) => keys.map((key) => open.get(key)).filter((events) => events !== undefined));
      // The same events on the same graph would conflict again.
      const untried = groups.filter((group) => {
        const name = `${applied} ${group.map(([{ event }]) => event.eventId).join()}`;
        if (tried.has(name)) return false;
        tried.add(name);
        return applied > 0 || group.length > 1;
      });
      if (untried.length === 0) return;
      for (const group of untried) {
        await this.#apply(group, { together: true });
        for (const events of group) known.set(events[0].key, this.#withoutDead(events));
      }
    }
  }

  async #apply(aggregates: readonly AggregateEvents[], options?: BatchOptions): Promise<void> {
    const results: BatchResults = new Map();
    try {
      const states = aggregates.map(([newest]) => toState(newest));
      await this.#ports.applyBatch(states, results, options);
    } finally {
      for (const events of aggregates) this.#record(events, results);
    }
  }

  /** Records results. An applied state also settles the older events of its aggregate. */
  #record([newest, ...older]: AggregateEvents, results: BatchResults): void {
    const result = results.get(newest.key);
    if (result === undefined) return;
    this.#settlement.outcomes.set(newest.event.eventId, eventOutcome(result));
    if (result.outcome !== 'applied' && result.outcome !== 'superseded') return;
    for (const { event } of older) this.#settlement.outcomes.set(event.eventId, { outcome: 'superseded' });
  }

  /** Skips dead newest events, because an older event may still release the node. */
  #withoutDead(events: AggregateEvents): AggregateEvents {
    const [newest, next, ...rest] = events;
    if (this.#outcomeOf(newest)?.outcome !== 'dead' || next === undefined) return events;
    return this.#withoutDead([next, ...rest]);
  }

  /** Returns the known holders of each conflict's contested element. */
  async #holdersOf(conflicts: readonly Conflict[]): Promise<readonly (readonly [refused: string, holder: string])[]> {
    const nodes = new Set(conflicts.flatMap(({ sharedNode }) => sharedNode ?? []));
    const sharers = nodes.size === 0 ? [] : await this.#ports.findSharers([...nodes]);
    return conflicts.flatMap(({ refused, holder, sharedNode }) => {
      const holders = holder !== null ? [holder] : sharedNode === null ? [] : sharers;
      return holders.filter((key) => key !== refused).map((key) => [refused, key] as const);
    });
  }

  async #fetchHolders(keys: readonly string[]): Promise<readonly AggregateEvents[]> {
    // The events of another source's aggregates are in its own outbox.
    const unknown = [...new Set(keys)].filter((key) => this.#keys.has(key) && !this.#fetched.has(key));
    for (const key of unknown) this.#fetched.add(key);
    if (unknown.length === 0) return [];
    const pending = await this.#ports.fetchPending(unknown);
    return this.project(pending.filter(({ eventId }) => !this.#settlement.outcomes.has(eventId)));
  }

  #outcomeOf({ event }: ProjectedEvent): EventOutcome | undefined {
    return this.#settlement.outcomes.get(event.eventId);
  }

  #conflictOf(event: ProjectedEvent): Conflict | undefined {
    const outcome = this.#outcomeOf(event);
    return outcome?.outcome === 'conflict' ? outcome.conflict : undefined;
  }

  #isApplied(event: ProjectedEvent): boolean {
    const outcome = this.#outcomeOf(event)?.outcome;
    return outcome === 'applied' || outcome === 'superseded';
  }
}

function eventOutcome(result: AggregateResult): EventOutcome {
  return result.outcome === 'refused' ? { outcome: 'dead', code: result.code, message: result.message } : result;
}

function toState({ event, key, subgraph }: ProjectedEvent): AggregateState {
  return { key, position: event.position, subgraph };
}
