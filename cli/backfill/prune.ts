/**
 * `--prune`, after the backfill of a type through the outbox: records the deletion of aggregates that have no document.
 * They are in a graph that was restored from a backup, or that is ahead of documents which were restored; and a new
 * graph does not know that they were deleted, though an older upsert of theirs may still be pending or dead in the
 * outbox.
 *
 * Which they are: the backfill gave every document an event later than `startedAt`. So an aggregate that the graph
 * knows only up to a point before that, and of which the outbox has nothing later, has no document. A deletion takes
 * its place right behind the newest position that is known of its aggregate: whatever a writer has recorded since, or
 * records just now, is newer and wins.
 */
import { fromPosition, type Position, toPosition } from '../../lib/contract/position.ts';
import type { Pace } from '../throttle/pace.ts';

/** What the outbox holds of an aggregate that is not settled. */
interface Unsettled {
  readonly position: Position;
  readonly status: 'pending' | 'dead';
  readonly operation: 'upsert' | 'delete';
}

/** A live aggregate of the graph. */
interface KnownAggregate {
  readonly aggregateId: string;
  readonly position: Position;
}

/** An aggregate without a document, and the newest position that is known of it. */
interface Missing {
  readonly aggregateId: string;
  readonly knownPosition: Position;
}

/**
 * All of one aggregate type; lists are in the order of the ids, and go on after the last one, at first after the empty
 * text.
 */
export interface PrunePorts {
  /** Live aggregates of the graph whose position is not later than `notAfter`. */
  readonly listAggregates: (notAfter: Position, after: string, limit: number) => Promise<readonly KnownAggregate[]>;
  /** The positions that the graph knows of these aggregates, live or deleted. */
  readonly readPositions: (aggregateIds: readonly string[]) => Promise<ReadonlyMap<string, Position>>;
  /** Aggregates that have a pending or dead event. */
  readonly listUnsettledIds: (after: string, limit: number) => Promise<readonly string[]>;
  /** The newest pending or dead event of each that has one. */
  readonly newestUnsettled: (aggregateIds: readonly string[]) => Promise<ReadonlyMap<string, Unsettled>>;
  readonly recordDeletions: (missing: readonly Missing[]) => Promise<void>;
  /**
   * Whether the graph is still the one that the reprojection began with: in another one, what was
   * applied meanwhile would pass for missing.
   */
  readonly isSameGraph: () => Promise<boolean>;
  readonly pace: Pace;
  readonly isInterrupted: () => boolean;
}

export interface PruneOptions {
  /** When the reprojection began. */
  readonly startedAt: Position;
  /**
   * A writer's transaction ends within this time: what it recorded before the reprojection began may have become
   * visible after it had passed.
   */
  readonly transactionSeconds: number;
  /** More than these are not deleted at all: a collection that is empty by mistake must not empty the graph. */
  readonly maxDeleted: number;
}

export type PruneReport =
  | { readonly outcome: 'done' | 'interrupted' | 'graph-changed'; readonly pruned: number }
  | { readonly outcome: 'too-many'; readonly missing: number };

const pageAggregates = 500;

/**
 * Records the deletions; two passes, because it counts first.
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

/** Of live aggregates that the graph knows nothing late of, those that the outbox has nothing late of either. */
async function missingInGraph(
  ports: PrunePorts,
  notAfter: Position,
  page: readonly KnownAggregate[],
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
 * Of aggregates with a pending or dead event, those of which nothing newer is known, and nothing late: redriven, it
 * would bring back what was deleted.
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

function isPendingDeletion({ status, operation }: Unsettled): boolean {
  return status === 'pending' && operation === 'delete';
}
