/**
 * Brings a set of events to an end: applied, superseded, dead, in conflict, or failed for now. Only the newest valid
 * event of each aggregate is applied. Where another aggregate holds what it claims, that aggregate's pending events are
 * fetched, and all that depend on each other are applied in one transaction. Where the newest cannot be applied in the
 * end, the next older one takes its place.
 */

import type { DataFaultCode, Fault } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import type { AggregateState } from '../graph/aggregate-state.ts';
import type { AggregateResult, BatchOptions, BatchResults } from '../graph/apply-batch.ts';
import type { Conflict } from '../graph/conflict.ts';
import type { GraphPorts } from '../graph/ports.ts';
import { connectedGroups } from './connected-groups.ts';
import { type ProjectEvent, type ProjectedEvent, projectEvents } from './select-newest.ts';

/** What settling needs. */
export interface SettlePorts extends Pick<GraphPorts, 'applyBatch' | 'findSharers'> {
  readonly project: ProjectEvent;
  /** The newest pending events of each named aggregate (`type:id`), a few for each. */
  readonly fetchPending: (aggregateKeys: readonly string[]) => Promise<readonly OutboxEvent[]>;
}

/** What became of one event. */
export type EventOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | {
      readonly outcome: 'dead';
      readonly code: DataFaultCode;
      readonly message: string;
      /** What the projection threw. */
      readonly thrown?: unknown;
    }
  | { readonly outcome: 'conflict'; readonly conflict: Conflict }
  | { readonly outcome: 'failed'; readonly fault: Fault };

/**
 * Outcomes by event id. May hold events that were not asked for: those of holders that were applied to resolve a
 * conflict.
 */
export interface Settlement {
  readonly outcomes: Map<string, EventOutcome>;
  readonly events: Map<string, OutboxEvent>;
}

/**
 * Holders of holders are asked as well, this deep: nodes that move around in a circle of so many aggregates find their
 * new owners.
 */
const conflictRounds = 25;

/**
 * Settles the events into `settlement`, which holds what is known so far even if this throws.
 *
 * @throws Fault that is no data fault: whatever has no outcome yet shall be retried later.
 */
export async function settleEvents(
  events: readonly OutboxEvent[],
  ports: SettlePorts,
  settlement: Settlement,
): Promise<void> {
  const settling = new Settling(ports, settlement);
  let lines = settling.project(events);
  while (lines.length > 0) {
    await settling.applyNewest(lines);
    lines = lines.map((line) => settling.olderOf(line)).filter((line) => line !== undefined);
  }
}

/** The valid events of one aggregate, newest first; never empty. */
type Line = readonly [ProjectedEvent, ...(readonly ProjectedEvent[])];

/** The state of one call. */
class Settling {
  readonly #ports: SettlePorts;
  readonly #settlement: Settlement;
  /** Holders whose pending events were fetched. */
  readonly #asked = new Set<string>();

  constructor(ports: SettlePorts, settlement: Settlement) {
    this.#ports = ports;
    this.#settlement = settlement;
  }

  /** Events that cannot be projected are dead; the others by aggregate. */
  project(events: readonly OutboxEvent[]): readonly Line[] {
    for (const event of events) this.#settlement.events.set(event.eventId, event);
    const { byAggregate, refused, deferred } = projectEvents(events, this.#ports.project);
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
    return [...byAggregate.values()].flatMap(([newest, ...older]): Line[] => (newest ? [[newest, ...older]] : []));
  }

  /** The line without its newest event, if that one cannot be applied now and there is an older one. */
  olderOf([newest, ...older]: Line): Line | undefined {
    const outcome = this.#outcomeOf(newest)?.outcome;
    const [next, ...rest] = older.filter(({ event }) => !this.#settlement.outcomes.has(event.eventId));
    return (outcome === 'dead' || outcome === 'conflict') && next !== undefined ? [next, ...rest] : undefined;
  }

  /** Applies the newest event of each line, together with what holds up those in conflict. */
  async applyNewest(lines: readonly Line[]): Promise<void> {
    await this.#apply(lines);
    let known = new Map(lines.map((line) => [line[0].key, this.#withoutDead(line)]));
    const tried = new Set<string>();
    for (let round = 1; round <= conflictRounds; round += 1) {
      const conflicts = [...known.values()].flatMap(([newest]) => this.#conflictOf(newest) ?? []);
      if (conflicts.length === 0) return;
      const edges = await this.#holdersOf(conflicts);
      const fresh = await this.#fetchHolders(edges.map(([, holder]) => holder).filter((key) => !known.has(key)));
      known = new Map([...known, ...fresh.map((line): [string, Line] => [line[0].key, line])]);
      const applied = [...known.values()].filter(([newest]) => this.#isApplied(newest)).length;
      const open = new Map([...known].filter(([, [newest]]) => !this.#isApplied(newest)));
      const groups = connectedGroups(
        conflicts.map(({ refused }) => refused),
        edges.filter(([, holder]) => open.has(holder)),
      ).map((keys) => keys.map((key) => open.get(key)).filter((line) => line !== undefined));
      // The same events over the same graph would be in the same conflict again.
      const worthTrying = groups.filter((group) => {
        const name = `${applied} ${group.map(([{ event }]) => event.eventId).join()}`;
        if (tried.has(name)) return false;
        tried.add(name);
        return applied > 0 || group.length > 1;
      });
      if (worthTrying.length === 0) return;
      for (const group of worthTrying) {
        await this.#apply(group, { together: true });
        for (const line of group) known.set(line[0].key, this.#withoutDead(line));
      }
    }
  }

  async #apply(lines: readonly Line[], options?: BatchOptions): Promise<void> {
    const results: BatchResults = new Map();
    try {
      const states = lines.map(([newest]) => toState(newest));
      await this.#ports.applyBatch(states, results, options);
    } finally {
      for (const line of lines) this.#record(line, results);
    }
  }

  /** An applied state settles the older events of its aggregate as well. */
  #record([newest, ...older]: Line, results: BatchResults): void {
    const result = results.get(newest.key);
    if (result === undefined) return;
    this.#settlement.outcomes.set(newest.event.eventId, eventOutcome(result));
    if (result.outcome !== 'applied' && result.outcome !== 'superseded') return;
    for (const { event } of older) this.#settlement.outcomes.set(event.eventId, { outcome: 'superseded' });
  }

  /** A holder whose newest event is dead may still let go by the one before. */
  #withoutDead(line: Line): Line {
    const [newest, next, ...rest] = line;
    if (this.#outcomeOf(newest)?.outcome !== 'dead' || next === undefined) return line;
    return this.#withoutDead([next, ...rest]);
  }

  /** For each conflict, who is in whose way, as far as it is known. */
  async #holdersOf(conflicts: readonly Conflict[]): Promise<readonly (readonly [refused: string, holder: string])[]> {
    const nodes = new Set(conflicts.flatMap(({ sharedNode }) => sharedNode ?? []));
    const sharers = nodes.size === 0 ? [] : await this.#ports.findSharers([...nodes]);
    return conflicts.flatMap(({ refused, holder, sharedNode }) => {
      const holders = holder !== null ? [holder] : sharedNode === null ? [] : sharers;
      return holders.filter((one) => one !== refused).map((one) => [refused, one] as const);
    });
  }

  async #fetchHolders(keys: readonly string[]): Promise<readonly Line[]> {
    const unknown = [...new Set(keys)].filter((key) => !this.#asked.has(key));
    for (const key of unknown) this.#asked.add(key);
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
