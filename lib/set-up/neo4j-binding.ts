/**
 * The binding of a graph to its outbox: the only registry node that is not an aggregate. Its key is
 * the empty text, which no aggregate has. Queries of the registry start after that key, or read
 * positions, manifests or deletions, which this node lacks.
 */
import type { Driver } from 'neo4j-driver';
import { canaryAggregate } from '../contract/canary.ts';
import { Fault } from '../contract/fault.ts';
import { aggregateKey } from '../contract/outbox-event.ts';
import type { Position } from '../contract/position.ts';
import { noBookmarks } from '../graph/neo4j-connect.ts';
import { withNeo4jFaults } from '../graph/neo4j-errors.ts';
import { read } from '../graph/neo4j-read.ts';

/** The outbox that a graph belongs to. */
export interface Binding {
  /** Null if no set-up of a version with bindings has run on this graph. */
  readonly outboxId: string | null;
  /** The position of the newest applied canary; null before the first. */
  readonly newestCanary: Position | null;
}

const readStatement = `
OPTIONAL MATCH (b:OutgraphAggregate {key: ''})
OPTIONAL MATCH (c:OutgraphAggregate {key: $canary})
RETURN b._outgraphOutbox AS outboxId, c.position AS newestCanary`;

// The lock of the MERGE comes before the read, so that one of two concurrent set-ups is refused.
const bindStatement = `
MERGE (b:OutgraphAggregate {key: ''})
SET b._outgraphLock = true
SET b._outgraphOutbox = CASE WHEN $adopt THEN $outboxId ELSE coalesce(b._outgraphOutbox, $outboxId) END
RETURN b._outgraphOutbox AS outboxId`;

const withdrawStatement = `
MATCH (a:OutgraphAggregate) WHERE a.position > $latest
CALL (a) { SET a.position = $latest } IN TRANSACTIONS OF 5000 ROWS
RETURN count(*) AS count`;

/** @throws Fault `neo4j-unavailable`. */
export async function readBinding(driver: Driver, database: string): Promise<Binding> {
  const [binding] = await read<{ outboxId: string | null; newestCanary: Position | null }>(
    driver,
    database,
    readStatement,
    { canary: aggregateKey(canaryAggregate) },
  );
  return binding ?? { outboxId: null, newestCanary: null };
}

/**
 * @throws Fault `set-up-missing` if the graph belongs to no outbox yet; `graph-of-another-outbox`
 * if it belongs to another one.
 */
export function requireOwnGraph({ outboxId: bound }: Binding, outboxId: string): void {
  if (bound === null)
    throw new Fault(
      'set-up-missing',
      'The graph does not belong to an outbox yet. Apply the set-up first (npx outgraph set-up).',
    );
  if (bound !== outboxId) throw ofAnotherOutbox(bound, outboxId);
}

/**
 * Binds a graph without an outbox to this one; with `adopt`, any graph.
 *
 * @throws Fault `graph-of-another-outbox`, `neo4j-unavailable`.
 */
export async function bindGraph(
  driver: Driver,
  database: string,
  outboxId: string,
  { adopt }: { readonly adopt: boolean },
): Promise<void> {
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(bindStatement, { outboxId, adopt }, { database, ...noBookmarks }),
  );
  const bound = records[0]?.get('outboxId');
  if (bound !== outboxId) throw ofAnotherOutbox(String(bound), outboxId);
}

const markStatement = `
MATCH (b:OutgraphAggregate {key: ''})
SET b += $mark`;

const markedStatement = `
MATCH (b:OutgraphAggregate {key: ''})
RETURN b[$name] AS run`;

const markName = (aggregateType: string) => `_outgraphReprojection:${aggregateType}`;

/**
 * Stores the id of a run in the graph. A graph that replaces this one during the run does not have
 * the id.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function markRun(driver: Driver, database: string, aggregateType: string, run: string): Promise<void> {
  const mark = { [markName(aggregateType)]: run };
  await withNeo4jFaults(() => driver.executeQuery(markStatement, { mark }, { database, ...noBookmarks }));
}

/** Whether the graph still has the id of this run. @throws Fault `neo4j-unavailable`. */
export async function isMarked(driver: Driver, database: string, aggregateType: string, run: string): Promise<boolean> {
  const rows = await read<{ run: string | null }>(driver, database, markedStatement, { name: markName(aggregateType) });
  return rows[0]?.run === run;
}

/**
 * Sets every position later than `latest` to `latest`, and returns how many there were.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function withdrawPositions(driver: Driver, database: string, latest: Position): Promise<number> {
  const session = driver.session({ database });
  try {
    const { records } = await withNeo4jFaults(() => session.run(withdrawStatement, { latest }));
    return Number(records[0]?.get('count') ?? 0);
  } finally {
    await session.close();
  }
}

function ofAnotherOutbox(bound: string, outboxId: string): Fault {
  return new Fault(
    'graph-of-another-outbox',
    `The graph belongs to the outbox ${bound}, but MONGODB_URI and MONGODB_DATABASE ` +
      `name the outbox ${outboxId}. Check these settings and NEO4J_URI. ` +
      'After a move or a restore, let this outbox adopt the graph: npx outgraph set-up --adopt.',
  );
}
