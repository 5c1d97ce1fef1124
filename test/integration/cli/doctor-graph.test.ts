/** `outgraph doctor` and `outgraph set-up` on their own, damaged Neo4j. */
import { afterEach, expect } from 'vitest';
import type { CheckResult } from '../../../cli/doctor/doctor.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { it, type SiteGraph, settingsOf, type TestDatabase } from '../../support/site.ts';

let database: TestDatabase;
let graph: SiteGraph;
it.beforeAll(({ site }) => {
  ({ graph, database } = site);
});
afterEach(async () => {
  await setUpGraph(graph.driver, 'neo4j', catalog, testOutboxId);
});

const run = (query: string) => graph.driver.executeQuery(query);

async function wrongInGraph(): Promise<readonly CheckResult[]> {
  const { stdout, exitCode } = await startOutgraph(['doctor', '--json'], settingsOf(database, graph)).ended;
  const { checks }: { checks: readonly CheckResult[] } = JSON.parse(stdout);
  const wrong = checks.filter(({ outcome }) => outcome === 'wrong');
  expect(exitCode).toBe(wrong.length === 0 ? 0 : 1);
  return wrong;
}

it.each<readonly [string, readonly string[], RegExp]>([
  [
    'the constraint of the registry is missing',
    ['DROP CONSTRAINT outgraph_key_OutgraphAggregate'],
    /label OutgraphAggregate has no uniqueness constraint on \(key\)/,
  ],
  [
    'the constraint of a label is missing',
    ['DROP CONSTRAINT outgraph_key_User'],
    /label User has no uniqueness constraint on \(user_id\)/,
  ],
  [
    'the constraint of a relationship type is missing',
    ['DROP CONSTRAINT outgraph_rel_HAS_EVENT'],
    /relationship type HAS_EVENT has no uniqueness constraint on _outgraphId/,
  ],
])('finds that %s, and creates nothing', async (_, damage, detail) => {
  for (const query of damage) await run(query);
  const before = await run('SHOW CONSTRAINTS YIELD name RETURN count(*) AS count');
  const wrong = await wrongInGraph();
  expect(wrong).toMatchObject([{ group: 'Neo4j', name: 'constraints', detail: expect.stringMatching(detail) }]);
  const after = await run('SHOW CONSTRAINTS YIELD name RETURN count(*) AS count');
  expect(after.records[0]?.get('count')).toBe(before.records[0]?.get('count'));
});

it('finds a label with another key, and a missing purge index', async () => {
  await run('DROP CONSTRAINT outgraph_key_Date');
  await run('CREATE CONSTRAINT outgraph_key_Date FOR (n:Date) REQUIRE n.day IS UNIQUE');
  await run('DROP INDEX outgraph_tombstones');
  expect(await wrongInGraph()).toMatchObject([
    { name: 'constraints', detail: expect.stringMatching(/label Date is keyed by day, not by date/) },
    { name: 'indexes', detail: expect.stringMatching(/outgraph_tombstones is missing/) },
  ]);
  await run('DROP CONSTRAINT outgraph_key_Date');
});

it('finds a manifest written by a newer version', async () => {
  await run("CREATE (:OutgraphAggregate {key: 'graph:newer', position: '1', manifest: '99\\n'})");
  const wrong = await wrongInGraph();
  expect(wrong).toMatchObject([{ name: 'manifests', detail: expect.stringMatching(/form 99/) }]);
  await run("MATCH (a:OutgraphAggregate {key: 'graph:newer'}) DELETE a");
});

it('set-up (or setup) says what it created and what existed, and a second run creates nothing', async () => {
  await run('DROP CONSTRAINT outgraph_key_User');
  await database.db.collection('outbox').dropIndex('outgraph_pending');
  const settings = settingsOf(database, graph);
  const first = await startOutgraph(['setup'], settings).ended;
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toMatch(/^made +MongoDB +index outgraph_pending of outbox$/m);
  expect(first.stdout).toMatch(/^changed +MongoDB +index outgraph_purge of outbox$/m);
  expect(first.stdout).toMatch(/^made +Neo4j +constraint on User \(user_id\)$/m);
  expect(first.stdout).toMatch(/^kept +Neo4j +constraint on Date \(date\)$/m);
  expect(first.stdout).toMatch(/\nThe outbox and the graph are set up\.\n$/);
  const second = await startOutgraph(['set-up', '--json'], settings).ended;
  const { outcome, mongodb, neo4j } = JSON.parse(second.stdout);
  expect(outcome).toBe('done');
  const outcomes = new Set([...mongodb, ...neo4j].map((step: { outcome: string }) => step.outcome));
  expect([...outcomes].sort()).toStrictEqual(['applied', 'kept']);
  expect(await wrongInGraph()).toStrictEqual([]);
});

it('set-up says what prevents it, and exits 1', async () => {
  await run('DROP CONSTRAINT outgraph_key_User');
  await run('CREATE (:User {user_id: 1}), (:User {user_id: 1})');
  const { ended } = startOutgraphProcess(['set-up', '--json'], settingsOf(database, graph));
  const { exitCode, stdout, stderr } = await ended;
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/nodes with the same key/),
  });
  expect(stderr).toMatch(/label User/);
  await run('MATCH (n:User) DELETE n');
});
