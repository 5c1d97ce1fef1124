/**
 * Whether outbox and graph belong together: checked by every part that reads or writes the graph,
 * before it does.
 */
import type { Db } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { Fault } from '../contract/fault.ts';
import { fromPosition, type Position, positionTime, toPosition } from '../contract/position.ts';
import { readClusterTime } from '../publisher/mongodb-backlog.ts';
import { withinTime } from '../runtime/within-time.ts';
import { identityCollection, readOutboxId } from './mongodb-identity.ts';
import { readBinding, requireOwnGraph } from './neo4j-binding.ts';

/** A shard without writes notes the cluster's time every ten seconds. */
const idleSeconds = 10;

/**
 * Refuses a graph that belongs to another outbox, or that knows events of later positions than this
 * cluster can have given.
 *
 * @throws Fault `set-up-missing`, `graph-of-another-outbox` or `clock-behind-graph`;
 * `mongodb-unavailable`, `neo4j-unavailable`.
 */
export async function checkBinding(db: Db, driver: Driver, database: string): Promise<void> {
  const outboxId = await readOutboxId(db);
  const binding = await readBinding(driver, database);
  requireOwnGraph(binding, outboxId);
  const { newestCanary } = binding;
  if (newestCanary === null) return;
  const latest = await createClock(db)(newestCanary);
  if (newestCanary > latest) throw clockBehind(newestCanary, latest);
}

/** A graph that has not answered by then is taken to be away. */
const answerMillis = 3_000;

/** As {@link checkBinding}, for what can begin while the graph is away, and checks again before it needs it. */
export async function checkBindingIfReachable(db: Db, driver: Driver, database: string): Promise<void> {
  try {
    await withinTime('Neo4j', answerMillis, () => checkBinding(db, driver, database));
  } catch (error) {
    if (!(error instanceof Fault) || !['time-up', 'neo4j-unavailable'].includes(error.code)) throw error;
  }
}

/**
 * A clock of the cluster that holds this database: returns the latest position that the cluster can
 * have given by now. It asks only where the position in question is later than the last answer.
 */
export function createClock(db: Db): (position: Position) => Promise<Position> {
  let latest = toPosition({ t: 0, i: 0 });
  return async (position) => {
    if (position > latest) {
      const { t } = fromPosition(await readClusterTime(db.client, db.collection(identityCollection)));
      latest = toPosition({ t: t + idleSeconds, i: 0 });
    }
    return latest;
  };
}

/**
 * The fault of a graph that knows this position, which is later than the latest one that the
 * cluster can have given.
 */
export function clockBehind(position: Position, latest: Position): Fault {
  return new Fault(
    'clock-behind-graph',
    `The graph knows an event of ${positionTime(position).toISOString()}, and the time of the MongoDB cluster is not past ${positionTime(latest).toISOString()}: new events would look older than what the graph has. Another cluster gave that position. Events stay pending until you adopt the graph (npx outgraph set-up --adopt); first read docs/runbook.md, clock-behind-graph.`,
  );
}
