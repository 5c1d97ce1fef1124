/**
 * `--prune`: records deletions of aggregates without a document, after a backfill of their type
 * through the outbox. A graph has such aggregates if it was restored from a backup, or if the
 * documents were restored to an older state. A new graph does not have their deletions, and the
 * outbox may still hold an older pending or dead upsert of them.
 *
 * The backfill gave every document an event later than `startedAt`. So an aggregate has no document
 * if both its position in the graph and its events in the outbox are earlier. Its deletion gets the
 * position directly after the aggregate's newest known position. An event that a writer has
 * recorded since, or records now, is newer and wins.
 */
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';
import type { ListedAggregate } from '../../lib/graph/neo4j-list-aggregates.ts';
import type { UnsettledEvent } from '../../lib/outbox/mongodb-unsettled.ts';
import type { MissingAggregate } from '../documents/mongodb-record-deletions.ts';
import type { Pace } from '../throttle/pace.ts';

type Missing = Pick<MissingAggregate, 'aggregateId' | 'knownPosition'>;

/**
 * Ports for one aggregate type. Lists are ordered by id and continue after `after`, which is empty
 * at first.
 */
export interface PrunePorts {
  /** Live aggregates of the graph with a position not later than `notAfter`. */
  readonly listAggregates: (notAfter: Position, after: string, limit: number) => Promise<readonly ListedAggregate[]>;
  /** The graph's positions of these aggregates, live or deleted. */
  readonly readPositions: (aggregateIds: readonly string[]) => Promise<ReadonlyMap<string, Position>>;
  /** Aggregates with a pending or dead event. */
  readonly listUnsettledIds: (after: string, limit: number) => Promise<readonly string[]>;
  /** The newest pending or dead event of each aggregate that has one. */
  readonly newestUnsettled: (aggregateIds: readonly string[]) => Promise<ReadonlyMap<string, UnsettledEvent>>;
  readonly recordDeletions: (missing: readonly Missing[]) => Promise<void>;
  /**
   * Whether the graph is still the one that the backfill started with. A different graph would seem
   * to have lost aggregates.
   */
  readonly isSameGraph: () => Promise<boolean>;
  readonly pace: Pace;
  readonly isInterrupted: () => boolean;
}

export interface PruneOptions {
  /** When the backfill started. */
  readonly startedAt: Position;
  /**
   * The longest that a writer's transaction takes. A document that was written before the start may
   * have become visible after the backfill passed it.
   */
  readonly transactionSeconds: number;
  /**
   * Deletes nothing if there are more, so that a collection that is empty by mistake does not empty
   * the graph.
   */
  readonly maxDeleted: number;
}

export type PruneReport =
  | { readonly outcome: 'done' | 'interrupted' | 'graph-changed'; readonly pruned: number }
  | { readonly outcome: 'too-many'; readonly missing: number };

const pageAggregates = 500;

/**
 * Counts the aggregates in a first pass, and records their deletions in a second.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`.
 */
export async function prune(ports: PrunePorts, options: PruneOptions): Promise<PruneReport> {
  let missing = 0;
  for await (const page of missingAggregates(ports, options)) missing += page.length;
  if (missing > options.maxDeleted) return { outcome: 'too-many', missing };
  let pruned = 0;
  for await (const page of missingAggregates(ports, options)) {
    if (!(await ports.isSameGraph())) return { outcome: 'graph-changed', pruned };
    await ports.recordDeletions(page);
    pruned += page.length;
    await ports.pace(page.length);
  }
  return { outcome: ports.isInterrupted() ? 'interrupted' : 'done', pruned };
}

async function* missingAggregates(
  ports: PrunePorts,
  { startedAt, transactionSeconds }: PruneOptions,
): AsyncGenerator<readonly Missing[]> {
  const { t } = fromPosition(startedAt);
  const notAfter = toPosition({ t: t - transactionSeconds, i: 0 });
  for (let after = ''; !ports.isInterrupted(); ) {
    const page = await ports.listAggregates(notAfter, after, pageAggregates);
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.aggregateId;
    yield await missingInGraph(ports, notAfter, page);
  }
  for (let after = ''; !ports.isInterrupted(); ) {
    const ids = await ports.listUnsettledIds(after, pageAggregates);
    const last = ids.at(-1);
    if (last === undefined) break;
    after = last;
    yield await missingInOutbox(ports, notAfter, ids);
  }
}

/**
 * Finds live aggregates whose position in the graph is early and that have no late event in the
 * outbox.
 */
async function missingInGraph(
  ports: PrunePorts,
  notAfter: Position,
  page: readonly ListedAggregate[],
): Promise<readonly Missing[]> {
  const unsettled = await ports.newestUnsettled(page.map(({ aggregateId }) => aggregateId));
  return page.flatMap(({ aggregateId, position }) => {
    const newest = unsettled.get(aggregateId);
    if (newest === undefined || newest.position <= position) return { aggregateId, knownPosition: position };
    if (newest.position > notAfter || isPendingDeletion(newest)) return [];
    return { aggregateId, knownPosition: newest.position };
  });
}

/**
 * Finds aggregates whose newest known position is a pending or dead event that is not late. If that
 * event were redriven, the deleted aggregate would return.
 */
async function missingInOutbox(
  ports: PrunePorts,
  notAfter: Position,
  aggregateIds: readonly string[],
): Promise<readonly Missing[]> {
  const unsettled = await ports.newestUnsettled(aggregateIds);
  const known = await ports.readPositions(aggregateIds);
  return [...unsettled].flatMap(([aggregateId, newest]) => {
    const position = known.get(aggregateId);
    if (position !== undefined && position >= newest.position) return [];
    if (newest.position > notAfter || isPendingDeletion(newest)) return [];
    return { aggregateId, knownPosition: newest.position };
  });
}

function isPendingDeletion({ status, operation }: UnsettledEvent): boolean {
  return status === 'pending' && operation === 'delete';
}
