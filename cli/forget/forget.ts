/**
 * Erases an aggregate whose document was deleted: from the graph, by an event, and from the outbox.
 * Its events are removed only after the graph has the deletion. What remains is the tombstone and
 * the deletion's event, with the aggregate's type and id alone, which keep a late message or a
 * restored graph from bringing it back.
 */
import type { Position } from '../../lib/contract/position.ts';
import { readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import type { RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import { conflictCollection, discardedCollection, trialCollection } from '../../lib/outbox/collections.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { newestUnsettled, type UnsettledEvent } from '../../lib/outbox/mongodb-unsettled.ts';
import { type Databases, sleepUnless } from '../databases.ts';
import { recordDeletions } from '../documents/mongodb-record-deletions.ts';
import {
  type Aggregate,
  countDiscarded,
  type ForgetCollections,
  findSettledPayloads,
  hasPending,
  removeEvents,
} from './mongodb-forget.ts';

export interface ForgetPlan {
  readonly isInGraph: boolean;
  readonly events: number;
  readonly discarded: number;
}

export type ForgetReport =
  | { readonly outcome: 'forgotten'; readonly events: number; readonly discarded: number }
  /** The deletion is recorded, but not applied yet. No event is removed. */
  | { readonly outcome: 'unapplied' }
  | { readonly outcome: 'interrupted' };

const pollMillis = 200;

/** What there is to erase. @throws Fault `mongodb-unavailable` or `neo4j-unavailable`. */
export async function planForget(databases: Databases, aggregate: Aggregate): Promise<ForgetPlan> {
  const { outbox, discarded } = collectionsOf(databases);
  const { registered, unsettled } = await readState(databases, aggregate);
  return {
    isInGraph: isLive(registered) || hasNewerEvent({ registered, unsettled }),
    events: (await findSettledPayloads(outbox, aggregate)).length,
    discarded: await countDiscarded(discarded, aggregate),
  };
}

/**
 * Erases it. Run it again after a failure.
 *
 * @param waitSeconds for the consumer to apply the deletion.
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`.
 */
export async function forget(
  databases: Databases,
  aggregate: Aggregate,
  { waitSeconds, signal }: { readonly waitSeconds: number; readonly signal: AbortSignal },
): Promise<ForgetReport> {
  const collections = collectionsOf(databases);
  const before = await readState(databases, aggregate);
  const known = newest(before);
  if (known !== null && needsDeletion(before))
    await recordDeletions(collections.outbox, [{ ...aggregate, knownPosition: known }], new Date());
  const deadline = performance.now() + waitSeconds * 1000;
  for (;;) {
    const isPending = await hasPending(collections.outbox, aggregate);
    if (!isPending && !isLive((await readState(databases, aggregate)).registered)) break;
    if (performance.now() > deadline) return { outcome: 'unapplied' };
    await sleepUnless(signal, pollMillis);
    if (signal.aborted) return { outcome: 'interrupted' };
  }
  const eventIds = await findSettledPayloads(collections.outbox, aggregate);
  return { outcome: 'forgotten', ...(await removeEvents(collections, aggregate, eventIds)) };
}

interface State {
  readonly registered: RegisteredAggregate | undefined;
  readonly unsettled: UnsettledEvent | undefined;
}

async function readState({ db, driver, database, keys }: Databases, aggregate: Aggregate): Promise<State> {
  const { aggregateType, aggregateId } = aggregate;
  const key = keys.of(aggregate);
  // In this order, an event that is applied between the two reads is found in the outbox.
  const unsettled = (await newestUnsettled(outboxOf(db), aggregateType, [aggregateId])).get(aggregateId);
  return { registered: (await readRegistered(driver, database, [key])).get(key), unsettled };
}

const isLive = (registered: RegisteredAggregate | undefined) => registered !== undefined && !registered.deleted;

/** Whether the newest state that is known is not a deletion, or one that is dead. */
function needsDeletion(state: State): boolean {
  const { registered, unsettled } = state;
  const isComing = unsettled?.operation === 'delete' && unsettled.status === 'pending';
  if (isComing && (registered === undefined || unsettled.position > registered.position)) return false;
  return isLive(registered) || hasNewerEvent(state);
}

/** An upsert that the graph does not have yet, pending or dead. */
function hasNewerEvent({ registered, unsettled }: State): boolean {
  if (unsettled === undefined || unsettled.operation === 'delete') return false;
  return registered === undefined || unsettled.position > registered.position;
}

function newest({ registered, unsettled }: State): Position | null {
  const positions = [registered?.position, unsettled?.position].filter((position) => position !== undefined);
  return positions.sort((left, right) => (left < right ? 1 : -1))[0] ?? null;
}

function collectionsOf({ db }: Databases): ForgetCollections {
  return {
    outbox: outboxOf(db),
    discarded: db.collection(discardedCollection),
    trials: db.collection(trialCollection),
    conflicts: db.collection(conflictCollection),
  };
}
