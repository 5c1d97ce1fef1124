/** A store that Neo4j 5.26 wrote, opened by this project's release, as when a server is upgraded. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Double, Long } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { checkGraph, setUpGraph } from '../../lib/set-up/neo4j-graph.ts';
import { type RestartableNeo4j, startRestartableNeo4j } from '../../tools/local/neo4j.ts';
import { neo4jRelease } from '../../tools/local/neo4j-releases.ts';
import { runFolder } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';
import { catalog } from '../../xmem/catalog.ts';
import { Upgraded } from '../integration/upgrade/upgraded.ts';
import { connectGraph } from '../support/connect-graph.ts';
import { dumpGraph } from '../support/graph-dump.ts';
import { outboxEvent, upsertEvent } from '../support/outbox-event.ts';
import { testOutboxId } from '../support/outbox-id.ts';
import { servers } from '../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const folder = path.join(runFolder(), 'upgraded-neo4j');
let database: TestDatabase;
let neo4j: RestartableNeo4j | undefined;
let driver: Driver | undefined;
let consumer: Upgraded | undefined;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await close();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  await database?.drop();
});

/** Opens the store with a release. */
async function open(releaseName: string): Promise<{ readonly driver: Driver; readonly consumer: Upgraded }> {
  const { signal } = new AbortController();
  const release = neo4jRelease(releaseName);
  neo4j = await startRestartableNeo4j(folder, printStep, signal, { release, shortLived: true });
  driver = connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  const { db } = database;
  const { mongodbUri } = servers;
  consumer = new Upgraded({ mongodbUri, database: db.databaseName, neo4jUri: neo4j.uri, db, driver });
  return { driver, consumer };
}

/** Closes the store with a shutdown, which an upgrade requires. */
async function close(): Promise<void> {
  await consumer?.close();
  await driver?.close();
  await neo4j?.server.stop();
  consumer = driver = neo4j = undefined;
}

const place = (id: string) => ({ label: 'UpgradedPlace', key: { country: 'nz', id } });

/** Every kind of element and value, and a label with a key of two properties. */
const aggregate = (id: string) => {
  const properties = { text: 'a', whole: Long.fromNumber(7), half: new Double(1), at: new Date(), many: ['a', 'b'] };
  return upsertEvent(
    {
      nodes: [
        { label: 'UpgradedThing', key: { id }, labels: ['UpgradedKind'], properties },
        { ...place('shared'), shared: true },
      ],
      relationships: [
        { type: 'UPGRADED_AT', from: { label: 'UpgradedThing', key: { id } }, to: place('bare'), properties },
        { type: 'UPGRADED_NEAR', from: place('shared'), to: place('bare'), shared: true },
      ],
    },
    { aggregateId: `upgraded-${id}` },
  );
};

async function consume(events: readonly ReturnType<typeof outboxEvent>[]) {
  await database.db.collection(outboxCollection).insertMany([...events], { writeConcern: { w: 'majority' } });
  return consumer?.consumeEvents(events.map(({ _id }) => _id.toHexString()));
}

it('keeps every element, the constraints and the deletions, and takes further events', async () => {
  const before = await open('5.26');
  await setUpGraph(before.driver, 'neo4j', catalog, testOutboxId);
  const written = [...Array(20).keys()].map((number) => aggregate(String(number)));
  expect(await consume(written)).toMatchObject({ applied: 20, dead: 0 });
  const deletions = ['0', '1'].map((id) => outboxEvent({ aggregateId: `upgraded-${id}` }));
  expect(await consume(deletions)).toMatchObject({ applied: 2, dead: 0 });
  await before.consumer.expectModel();
  const { nodes, relationships } = await dumpGraph(before.driver);
  await close();

  const after = await open('2026');
  const [version] = (await after.driver.executeQuery('CALL dbms.components() YIELD versions RETURN versions[0] AS v'))
    .records;
  expect(version?.get('v')).toBe(neo4jRelease('2026').version);
  expect(await dumpGraph(after.driver)).toMatchObject({ nodes, relationships });
  await checkGraph(after.driver, 'neo4j');
  const steps = await setUpGraph(after.driver, 'neo4j', catalog, testOutboxId);
  expect(new Set(steps.map(({ outcome }) => outcome))).toStrictEqual(new Set(['kept', 'applied']));

  // Delivered again, the events of deleted aggregates leave no ghosts.
  const outbox = database.db.collection(outboxCollection);
  await outbox.updateMany({ status: 'processed' }, { $set: { status: 'pending' }, $unset: { processedAt: '' } });
  const ids = [...written, ...deletions].map(({ _id }) => _id.toHexString());
  expect(await after.consumer.consumeEvents(ids)).toMatchObject({ applied: 0, superseded: ids.length });
  expect(await dumpGraph(after.driver)).toMatchObject({ relationships });

  const updates = await after.consumer.updateEveryAggregate();
  expect(await after.consumer.consumeEvents(updates)).toMatchObject({ applied: 20, dead: 0, conflicts: 0 });
  await after.consumer.expectModel();
  await after.consumer.consumeEvents(await after.consumer.deleteEveryAggregate());
  expect(await after.consumer.picture()).toStrictEqual({ nodes: new Set(), relationships: new Set() });
});
