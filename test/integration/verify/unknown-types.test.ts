/** Commands that compare all types, with a catalog that lacks some types of the databases. */
import path from 'node:path';
import { expect, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { emptyManifest, encodeManifest } from '../../../lib/graph/manifest.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';
import { it, settingsOf } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const catalogFile = path.join(import.meta.dirname, 'customer-catalog.ts');
const registered = { key: 'order:1', position: '0000000000000001', manifest: encodeManifest(emptyManifest) };

it.beforeAll(async ({ site: { database, graph } }) => {
  const event = upsertEvent({}, { aggregateType: 'customer', aggregateId: '1' });
  await database.db.collection(outboxCollection).insertOne(event);
  await graph.driver.executeQuery('CREATE (a:OutgraphAggregate) SET a = $registered', { registered });
});

it.for([
  [['verify']],
  [['verify', '--quick']],
  [['verify', '--repair', '--yes']],
  [['verify', '--repair']],
])('%j refuses to compare if the catalog lacks types of the outbox or graph, and names them', async ([command], {
  site: { database, graph },
}) => {
  const run = await startOutgraph([...(command ?? []), '--json'], settingsOf(database, graph)).ended;
  expect(run).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('catalog lacks: customer, order.') });
  expect(JSON.parse(run.stdout)).toMatchObject({ outcome: 'refused', unknownTypes: ['customer', 'order'] });
  expect(run.stderr).toContain('OUTGRAPH_CATALOG');
});

it('the environment can name the catalog, as --catalog does', async ({ site: { database, graph } }) => {
  const settings = settingsOf(database, graph);
  const byOption = await startOutgraph(['verify', '--json', '--catalog', catalogFile], settings).ended;
  const byEnvironment = await startOutgraph(['verify', '--json'], { ...settings, OUTGRAPH_CATALOG: catalogFile }).ended;
  expect(JSON.parse(byOption.stdout)).toMatchObject({ outcome: 'different', types: ['customer', 'order', 'visit'] });
  expect(JSON.parse(byEnvironment.stdout)).toStrictEqual(JSON.parse(byOption.stdout));
});

it('compares the types that are named, and says which', async ({ site: { database, graph } }) => {
  const run = await startOutgraph(['verify', 'memory-user'], settingsOf(database, graph)).ended;
  expect(run).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('0 documents of memory-user were compared'),
  });
});
