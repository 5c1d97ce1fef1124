/**
 * After a rollback, the older version finds data of the newer one: it does not apply events to it,
 * marks nothing dead, and continues once the newer version is deployed again.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { encodeManifest, manifestForm } from '../../../lib/graph/manifest.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';
import { Upgraded } from './upgraded.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
let consumer: Upgraded;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
  const { mongodbUri, neo4jUri } = servers;
  const { db } = database;
  consumer = new Upgraded({ mongodbUri, database: db.databaseName, neo4jUri, db, driver: small.graph.driver });
});
afterAll(async () => {
  await consumer?.close();
  await small?.clear();
  await database?.drop();
});

const outbox = () => database.db.collection(outboxCollection);

async function write(name: string, version: number): Promise<string> {
  const { graph, node } = small;
  const payload = { nodes: [node(name, { properties: { version } })], relationships: [] };
  const event = upsertEvent(payload, { aggregateId: `${graph.label}-${name}` });
  await outbox().insertOne(event);
  return event._id.toHexString();
}

const versionOf = (id: string) =>
  small.count(`MATCH (n:${small.graph.label} {id: $id}) RETURN n.version AS value`, { id });
const statuses = async () => (await outbox().find().sort({ position: 1 }).toArray()).map(({ status }) => status);
const setForm = (form: number) =>
  small.graph.driver.executeQuery(
    'MATCH (a:OutgraphAggregate {key: $key}) SET a.manifest = $form + substring(a.manifest, size($known))',
    { key: `graph:${small.graph.label}-a`, form: String(form), known: encodeManifest([]).trimEnd() },
  );

it('an event whose manifest has a newer form is retried and never dead, and others are applied', async () => {
  await consumer.consumeEvents([await write('a', 1), await write('b', 1)]);
  await setForm(manifestForm + 1);

  const [a, b] = [await write('a', 2), await write('b', 2)];
  expect(await consumer.consumeEvents([a, b])).toMatchObject({
    applied: 1,
    failed: 1,
    dead: 0,
    lastFailure: {
      code: 'manifest-unknown',
      retryable: true,
      message: expect.stringContaining('Deploy the newer version again'),
    },
  });
  expect(await statuses()).toStrictEqual(['processed', 'processed', 'pending', 'processed']);
  expect(await versionOf('a')).toBe(1);
  expect(await versionOf('b')).toBe(2);

  await setForm(manifestForm);
  expect(await consumer.consumeEvents([a])).toMatchObject({ applied: 1, dead: 0 });
  expect(await versionOf('a')).toBe(2);
  expect(await versionOf('b')).toBe(2);
  expect(await statuses()).toStrictEqual(['processed', 'processed', 'processed', 'processed']);
});
