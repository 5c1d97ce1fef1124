/**
 * The binding of a graph to its outbox: a registry node that is not an aggregate. Its key is the
 * empty text, which no aggregate has. Queries of the registry start after that key, or read
 * positions, manifests or deletions, which this node lacks.
 *
 * In a graph of several outboxes, the binding of each has its source as its key (`source/`), and
 * the node with the empty key says that the graph belongs to sources. So an outbox without a
 * source, of any version, is refused as it is by the graph of another outbox.
 */
import type { Driver } from 'neo4j-driver';
import { canaryAggregate } from '../contract/canary.ts';
import { Fault } from '../contract/fault.ts';
import type { Position } from '../contract/position.ts';
import { type RegistryKeys, withoutSource } from '../contract/registry-keys.ts';
import { noBookmarks } from '../graph/neo4j-connect.ts';
import { withNeo4jFaults } from '../graph/neo4j-errors.ts';
import { read } from '../graph/neo4j-read.ts';

/** The outbox that a graph, or one source of it, belongs to. */
export interface Binding {
  /** The outbox without a source, or `sources`; null if no set-up has run on this graph. */
  readonly graph: string | null;
  /** Null if no set-up of this source, or of a version with bindings, has run on this graph. */
  readonly outboxId: string | null;
  /** The position of the newest applied canary; null before the first. */
  readonly newestCanary: Position | null;
}

/** In the place of an outbox's id: the graph belongs to outboxes with sources. */
const ofSources = 'sources';

const readStatement = `
OPTIONAL MATCH (g:OutgraphAggregate {key: ''})
OPTIONAL MATCH (b:OutgraphAggregate {key: $binding})
OPTIONAL MATCH (c:OutgraphAggregate {key: $canary})
RETURN g._outgraphOutbox AS graph, b._outgraphOutbox AS outboxId, c.position AS newestCanary`;

// Returns nothing for a graph of an outbox without a source.
const bindToSources = `
MERGE (g:OutgraphAggregate {key: ''})
SET g._outgraphLock = true
SET g._outgraphOutbox = coalesce(g._outgraphOutbox, '${ofSources}')
WITH g WHERE g._outgraphOutbox = '${ofSources}'`;

// The lock of the MERGE comes before the read, so that one of two concurrent set-ups is refused.
const bind = `
MERGE (b:OutgraphAggregate {key: $binding})
SET b._outgraphLock = true
SET b._outgraphOutbox = CASE WHEN $adopt THEN $outboxId ELSE coalesce(b._outgraphOutbox, $outboxId) END
RETURN b._outgraphOutbox AS outboxId`;

const withdrawStatement = `
MATCH (a:OutgraphAggregate) WHERE a.key > $after AND a.key < $end AND a.position > $latest
CALL (a) { SET a.position = $latest } IN TRANSACTIONS OF 5000 ROWS
RETURN count(*) AS count`;

/** @throws Fault `neo4j-unavailable`. */
export async function readBinding(driver: Driver, database: string, keys = withoutSource): Promise<Binding> {
  const parameters = { binding: keys.binding, canary: keys.of(canaryAggregate) };
  const [binding] = await read<Binding & Record<string, unknown>>(driver, database, readStatement, parameters);
  return binding ?? { graph: null, outboxId: null, newestCanary: null };
}

/**
 * @throws Fault `set-up-missing` if the graph belongs to no outbox yet; `graph-of-another-outbox`
 * if it belongs to another one.
 */
export function requireOwnGraph(binding: Binding, outboxId: string, keys = withoutSource): void {
  requireSameKind(binding.graph, keys);
  const { graph, outboxId: bound } = binding;
  if (graph === null || bound === null)
    throw new Fault(
      'set-up-missing',
      `The graph does not belong to ${keys.source === '' ? 'an outbox' : `the source "${keys.source}"`} yet. ` +
        'Apply the set-up first (npx outgraph set-up).',
    );
  if (bound !== outboxId) throw ofAnotherOutbox(bound, outboxId, keys);
}

/**
 * A graph belongs to one outbox without a source, or to outboxes with sources. No adoption changes
 * it: the graph would keep aggregates that no outbox knows.
 *
 * @throws Fault `graph-of-another-outbox`.
 */
export function requireSameKind(graph: string | null, { source }: RegistryKeys): void {
  if (graph === null || (graph === ofSources) === (source !== '')) return;
  throw new Fault(
    'graph-of-another-outbox',
    graph === ofSources
      ? 'The graph belongs to outboxes with sources, and OUTGRAPH_SOURCE is empty. Set it to the source of this ' +
          'outbox, or check NEO4J_URI and NEO4J_DATABASE. See docs/how-to/several-outboxes.md.'
      : `The graph belongs to the outbox ${graph} alone, and OUTGRAPH_SOURCE is "${source}". Give that outbox a ` +
          'source first (docs/how-to/several-outboxes.md), leave OUTGRAPH_SOURCE empty, or check NEO4J_URI and ' +
          'NEO4J_DATABASE.',
  );
}

/**
 * Binds a graph without an outbox to this one; with `adopt`, any graph. With a source, it binds the
 * source.
 *
 * @throws Fault `graph-of-another-outbox`, `neo4j-unavailable`.
 */
export async function bindGraph(
  driver: Driver,
  database: string,
  outboxId: string,
  { adopt, keys }: { readonly adopt: boolean; readonly keys: RegistryKeys },
): Promise<void> {
  const statement = keys.source === '' ? bind : `${bindToSources}${bind}`;
  const { records } = await withNeo4jFaults(() =>
    driver.executeQuery(statement, { binding: keys.binding, outboxId, adopt }, { database, ...noBookmarks }),
  );
  const [record] = records;
  if (record === undefined) requireSameKind((await readBinding(driver, database, keys)).graph, keys);
  const bound = String(record?.get('outboxId'));
  if (bound !== outboxId) throw ofAnotherOutbox(bound, outboxId, keys);
}

const removeStatement = `
MATCH (b:OutgraphAggregate {key: $binding}) DELETE b`;

// The lock comes before the search, so that no source is bound in between.
const removeLastStatement = `
MATCH (g:OutgraphAggregate {key: ''})
SET g._outgraphLock = true
WITH g WHERE NOT EXISTS { MATCH (a:OutgraphAggregate) WHERE a.key > '' }
DELETE g`;

/**
 * Removes the binding, after all aggregates. The last source leaves a graph without an outbox.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function unbindGraph(driver: Driver, database: string, { binding }: RegistryKeys): Promise<void> {
  for (const statement of [removeStatement, removeLastStatement])
    await withNeo4jFaults(() => driver.executeQuery(statement, { binding }, { database, ...noBookmarks }));
}

const markStatement = `
MATCH (b:OutgraphAggregate {key: $binding})
SET b += $mark`;

const markedStatement = `
MATCH (b:OutgraphAggregate {key: $binding})
RETURN b[$name] AS run`;

const markName = (aggregateType: string) => `_outgraphReprojection:${aggregateType}`;

/**
 * Stores the id of a run in the graph. A graph that replaces this one during the run does not have
 * the id.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function markRun(
  driver: Driver,
  database: string,
  { binding }: RegistryKeys,
  aggregateType: string,
  run: string,
): Promise<void> {
  const parameters = { binding, mark: { [markName(aggregateType)]: run } };
  await withNeo4jFaults(() => driver.executeQuery(markStatement, parameters, { database, ...noBookmarks }));
}

/** Whether the graph still has the id of this run. @throws Fault `neo4j-unavailable`. */
export async function isMarked(
  driver: Driver,
  database: string,
  { binding }: RegistryKeys,
  aggregateType: string,
  run: string,
): Promise<boolean> {
  const parameters = { binding, name: markName(aggregateType) };
  const rows = await read<{ run: string | null }>(driver, database, markedStatement, parameters);
  return rows[0]?.run === run;
}

/**
 * Sets every position of the source's aggregates later than `latest` to `latest`, and returns how
 * many there were.
 *
 * @throws Fault `neo4j-unavailable`.
 */
export async function withdrawPositions(
  driver: Driver,
  database: string,
  { range }: RegistryKeys,
  latest: Position,
): Promise<number> {
  const session = driver.session({ database });
  try {
    const { records } = await withNeo4jFaults(() => session.run(withdrawStatement, { ...range, latest }));
    return Number(records[0]?.get('count') ?? 0);
  } finally {
    await session.close();
  }
}

function ofAnotherOutbox(bound: string, outboxId: string, { source }: RegistryKeys): Fault {
  const [graph, choice] =
    source === '' ? ['The graph', ''] : [`The source "${source}" of the graph`, ', or take another source'];
  return new Fault(
    'graph-of-another-outbox',
    `${graph} belongs to the outbox ${bound}, but MONGODB_URI and MONGODB_DATABASE ` +
      `name the outbox ${outboxId}. Check these settings and NEO4J_URI${choice}. ` +
      'After a move or a restore, let this outbox adopt the graph: npx outgraph set-up --adopt.',
  );
}
