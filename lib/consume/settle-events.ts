/**
 * Brings a set of events to an end: applied, superseded, dead, or in conflict for now. Where the newest event of an aggregate turns out dead, the
 * next older one takes its place; where another aggregate holds a node, that aggregate's newest pending event is fetched and applied with it, because it
 * may be about to let go.
 */
import type { AggregateState } from '../apply/aggregate-state.ts';
import type { AggregateResult, BatchResults } from '../apply/apply-batch.ts';
import type { OwnershipConflict } from '../apply/settle-node.ts';
import type { DataFaultCode } from '../contract/fault.ts';
import type { OutboxEvent } from '../contract/outbox-event.ts';
import { type ProjectEvent, type ProjectedEvent, projectEvents } from './select-newest.ts';

/** What settling needs. */
export interface SettlePorts {
  readonly project: ProjectEvent;
  /** Applies one state for each aggregate and fills in the results as transactions commit; throws when the rest shall be retried later. */
  readonly applyBatch: (states: readonly AggregateState[], results: BatchResults) => Promise<void>;
  /** The newest pending event of each named aggregate (`type:id`) that has one. */
  readonly fetchNewestPending: (aggregateKeys: readonly string[]) => Promise<readonly OutboxEvent[]>;
  /** The keys of aggregates that list one of these nodes (by identity) as shared. */
  readonly findSharers: (nodeIdentities: readonly string[]) => Promise<readonly string[]>;
}

/** What became of one event. */
export type EventOutcome =
  | { readonly outcome: 'applied' | 'superseded' }
  | { readonly outcome: 'dead'; readonly code: DataFaultCode; readonly message: string }
  | { readonly outcome: 'conflict'; readonly conflict: OwnershipConflict };

/** Outcomes by event id. May hold events that were not asked for: those of holders that were applied to resolve a conflict. */
export interface Settlement {
  readonly outcomes: Map<string, EventOutcome>;
  readonly events: Map<string, OutboxEvent>;
}

/** Holders of holders are asked as well, this deep: nodes that move around in a circle of so many aggregates find their new owners. */
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
  let asked = events;
  for (let round = 1; asked.length > 0; round += 1) {
    await settleOnce(asked, ports, settlement);
    if (round === conflictRounds) return;
    asked = await withHolders(ports, settlement);
  }
}

/** The events in conflict, with the newest pending events of the aggregates that hold what they claim; none where that cannot help. */
async function withHolders(ports: SettlePorts, settlement: Settlement): Promise<readonly OutboxEvent[]> {
  const claims = [...settlement.outcomes].flatMap(([eventId, result]) =>
    result.outcome === 'conflict' ? [{ eventId, ...result.conflict }] : [],
  );
  if (claims.length === 0) return [];
  const holders = new Set(claims.flatMap((claim) => claim.holder ?? []));
  const shared = new Set(claims.flatMap((claim) => (claim.holder === null ? claim.identity : [])));
  const sharers = shared.size === 0 ? [] : await ports.findSharers([...shared]);
  const pending = await ports.fetchNewestPending([...new Set([...holders, ...sharers])]);
  const fresh = pending.filter((event) => !settlement.outcomes.has(event.eventId));
  const conflicting = claims.flatMap((claim) => settlement.events.get(claim.eventId) ?? []);
  return fresh.length === 0 ? [] : [...fresh, ...conflicting];
}

async function settleOnce(events: readonly OutboxEvent[], ports: SettlePorts, settlement: Settlement): Promise<void> {
  for (const event of events) settlement.events.set(event.eventId, event);
  const { byAggregate, refused } = projectEvents(events, ports.project);
  for (const { event, fault } of refused) {
    settlement.outcomes.set(event.eventId, { outcome: 'dead', code: fault.code, message: fault.message });
  }
  let candidates = [...byAggregate.values()];
  while (candidates.length > 0) {
    const results: BatchResults = new Map();
    try {
      await ports.applyBatch(
        candidates.flatMap(([newest]) => (newest === undefined ? [] : [toState(newest)])),
        results,
      );
    } finally {
      for (const list of candidates) recordResult(list, results, settlement);
    }
    candidates = candidates
      .filter(([newest]) => newest !== undefined && results.get(newest.key)?.outcome === 'refused')
      .map((list) => list.slice(1))
      .filter((list) => list.length > 0);
  }
}

/** An applied state settles the older events of its aggregate as well. */
function recordResult(list: readonly ProjectedEvent[], results: BatchResults, settlement: Settlement): void {
  const [newest, ...older] = list;
  const result = newest === undefined ? undefined : results.get(newest.key);
  if (newest === undefined || result === undefined) return;
  settlement.outcomes.set(newest.event.eventId, eventOutcome(result));
  if (result.outcome === 'refused') return;
  for (const { event } of older) {
    settlement.outcomes.set(event.eventId, result.outcome === 'conflict' ? result : { outcome: 'superseded' });
  }
}

function eventOutcome(result: AggregateResult): EventOutcome {
  return result.outcome === 'refused' ? { outcome: 'dead', code: result.code, message: result.message } : result;
}

function toState({ event, key, subgraph }: ProjectedEvent): AggregateState {
  return { key, position: event.position, subgraph };
}
