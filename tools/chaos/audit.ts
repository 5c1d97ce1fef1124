/**
 * The audit at the end of a chaos run: no commit is lost, the graph has no extra element, and every
 * event is settled.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'mongodb';
import { toPosition } from '../../lib/contract/position.ts';
import { graph } from '../../lib/projection/graph.ts';
import { expectedGraph } from '../../lib/testing/expected-graph.ts';
import type { FailureStack } from '../../test/support/failure-stack.ts';
import { hubNames } from '../../test/support/hub-document.ts';
import { idsOf, readDocumentStates } from '../../test/support/model/document-states.ts';
import { readGraph } from '../../test/support/model/read-graph.ts';
import type { LedgerLine } from './ledger.ts';

/** The result of the audit. */
export interface Audit {
  readonly events: number;
  readonly processed: number;
  readonly pending: number;
  readonly dead: number;
  readonly nodes: number;
  readonly relationships: number;
  /** One sentence for each problem. */
  readonly findings: readonly string[];
}

/** Checks everything. Run it once nothing is pending. */
export async function audit(stack: FailureStack, prefix: string, commits: readonly LedgerLine[]): Promise<Audit> {
  const ids = idsOf(prefix);
  const events = await stack.outbox.find({ aggregateType: 'graph', aggregateId: ids }).sort({ position: 1 }).toArray();
  const count = (status: string) => events.filter((event) => event.status === status).length;
  const expected = expectedGraph(await readDocumentStates(stack.db, graph, { _id: ids }));
  const { node, hub } = hubNames(prefix);
  const found = await readGraph(stack.graph, 'neo4j', { [node]: ['id'], [hub]: ['id'] });
  const findings = [
    ...findUnsettled(events),
    ...findLostCommits(events, commits),
    ...findDifferences('node', expected.nodes, found.nodes),
    ...findDifferences('relationship', expected.relationships, found.relationships),
    ...(await findWrongPositions(stack, prefix, events)),
  ];
  return {
    events: events.length,
    processed: count('processed'),
    pending: count('pending'),
    dead: count('dead'),
    nodes: found.nodes.size,
    relationships: found.relationships.size,
    findings,
  };
}

function findUnsettled(events: readonly Document[]): readonly string[] {
  return events
    .filter(({ status }) => status !== 'processed')
    .map(({ _id, status, error }) => `event ${_id} is ${status}${error === undefined ? '' : ` (${error.code})`}`);
}

/**
 * Checks that every acknowledged commit has its event. Deletions have no stamp, so they are
 * counted.
 */
function findLostCommits(events: readonly Document[], commits: readonly LedgerLine[]): readonly string[] {
  const stamps = new Set(events.map(({ payload }) => payload?.nodes[0]?.properties.stamp));
  const lost = commits
    .filter(({ operation, stamp }) => operation === 'upsert' && !stamps.has(stamp))
    .map(({ stamp }) => `the commit ${stamp} has no event`);
  const deletions = events.filter(({ operation }) => operation === 'delete').length;
  const acknowledged = commits.filter(({ operation }) => operation === 'delete').length;
  return deletions < acknowledged
    ? [...lost, `${acknowledged} deletions were committed, and ${deletions} have events`]
    : lost;
}

function findDifferences(what: string, expected: ReadonlySet<string>, found: ReadonlySet<string>): readonly string[] {
  const missing = [...expected].filter((one) => !found.has(one)).map((one) => `missing ${what}: ${one}`);
  const ghosts = [...found].filter((one) => !expected.has(one)).map((one) => `ghost ${what}: ${one}`);
  return [...missing, ...ghosts];
}

/** Checks that the registry has the position of each aggregate's newest event. */
async function findWrongPositions(
  stack: FailureStack,
  prefix: string,
  events: readonly Document[],
): Promise<readonly string[]> {
  const newest = new Map(events.map((event) => [`graph:${event.aggregateId}`, toPosition(event.position)]));
  const { records } = await stack.graph.executeQuery(
    'MATCH (a:OutgraphAggregate) WHERE a.key STARTS WITH $prefix RETURN a.key AS key, a.position AS position',
    { prefix: `graph:${prefix}-` },
  );
  const found = new Map(records.map((record) => [record.get('key'), record.get('position')]));
  if (isDeepStrictEqual(new Map([...found].sort()), new Map([...newest].sort()))) return [];
  return [...newest]
    .filter(([key, position]) => found.get(key) !== position)
    .map(([key, position]) => `the registry has ${key} at ${found.get(key)}, and its newest event is at ${position}`);
}
