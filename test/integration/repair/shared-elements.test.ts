/**
 * `outgraph verify` and `outgraph verify --repair` for shared elements: an element exists as long
 * as one aggregate lists it, so its count must be right.
 */
import { type Document, ObjectId } from 'mongodb';
import { afterEach, expect, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { graph as graphAggregate } from '../../../lib/projection/graph.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { answerOf, startOutgraph } from '../../support/run-outgraph.ts';
import { it, type SiteGraph, settingsOf, type TestDatabase } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;

it.beforeAll(({ site, worker: _running }) => {
  ({ graph, database } = site);
});
afterEach(async () => {
  expect(await outgraph('verify')).toMatchObject({ exitCode: 0, outcome: 'equal' });
});

const outgraph = (...command: readonly string[]) =>
  answerOf(startOutgraph([...command, '--transaction-seconds', '0', '--json'], settingsOf(database, graph)));

const run = (statement: string, parameters: Readonly<Record<string, unknown>> = {}) =>
  graph.driver.executeQuery(statement, parameters);

/** Writes three aggregates that share a topic and its relationship to the town. */
async function writeSharers(): Promise<{ readonly topic: string; readonly ids: readonly ObjectId[] }> {
  const topic = new ObjectId().toHexString();
  const documents: Document[] = Array.from({ length: 3 }, (_, index) => ({
    _id: new ObjectId(),
    nodes: [
      { label: 'Topic', key: { name: topic }, shared: true },
      { label: 'Note', key: { name: `${topic}-${index}` } },
    ],
    relationships: [
      {
        type: 'ABOUT',
        from: { label: 'Topic', key: { name: topic } },
        to: { label: 'Town', key: { name: 'Ulm' } },
        shared: true,
      },
    ],
  }));
  await trackCollection(database.client, database.db, graphAggregate).insertMany(documents as never[]);
  await untilApplied();
  expect(await counts(topic)).toStrictEqual([3, 3]);
  return { topic, ids: documents.map(({ _id }) => _id as ObjectId) };
}

async function untilApplied(): Promise<void> {
  const outbox = database.db.collection(outboxCollection);
  const filter = { aggregateType: graphAggregate.type, status: 'pending' };
  await vi.waitUntil(async () => (await outbox.countDocuments(filter)) === 0, { timeout: 60_000, interval: 50 });
}

/** The share counts of the topic and its relationship. A missing element has no count. */
async function counts(topic: string): Promise<readonly number[]> {
  const { records } = await run(
    `OPTIONAL MATCH (t:Topic {name: $topic}) OPTIONAL MATCH (t)-[r:ABOUT]->()
     RETURN [count IN [t._outgraphShares, r._outgraphShares] WHERE count IS NOT NULL] AS counts`,
    { topic },
  );
  return (records[0]?.get('counts') as readonly bigint[]).map(Number);
}

it.each([
  'SET t._outgraphShares = 7',
  'SET t._outgraphShares = 1',
  'SET r._outgraphShares = 9',
])('finds and corrects a changed count: %s', async (damage) => {
  const { topic } = await writeSharers();
  await run(`MATCH (t:Topic {name: $topic})-[r:ABOUT]->() ${damage}`, { topic });
  expect(await outgraph('verify')).toMatchObject({
    exitCode: 4,
    differences: { changed: 1 },
    first: [{ kind: 'changed', reason: 'Its share count is wrong.' }],
  });
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, elementsSettled: 1, recorded: 0 });
  expect(await counts(topic)).toStrictEqual([3, 3]);
});

it.each([
  ['the node is gone with its relationships', 'DETACH DELETE t'],
  ['the relationship is gone', 'DELETE r'],
  ['the node has lost its marks', 'REMOVE t._outgraphShares, t._outgraph'],
  ['the relationship has lost its count', 'REMOVE r._outgraphShares'],
  ['the node has a new label and property', "SET t:More, t.more = 'x'"],
  ['the relationship has a new property', "SET r.more = 'x'"],
  [
    'the relationship is reversed',
    'WITH t, r, endNode(r) AS u, properties(r) AS p DELETE r CREATE (u)-[s:ABOUT]->(t) SET s = p',
  ],
])('%s: after the repair, all sharers are counted', async (_, damage) => {
  const { topic } = await writeSharers();
  await run(`MATCH (t:Topic {name: $topic})-[r:ABOUT]->() ${damage}`, { topic });
  expect(await outgraph('verify')).toMatchObject({ exitCode: 4 });
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  expect(await counts(topic)).toStrictEqual([3, 3]);
});

it('counts a sharer once that was missing in the registry, and deletes the element with the last one', async () => {
  const { topic, ids } = await writeSharers();
  await run('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key: `graph:${ids[0]}` });
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  expect(await counts(topic)).toStrictEqual([3, 3]);
  await trackCollection(database.client, database.db, graphAggregate).deleteMany({ _id: { $in: [...ids] } } as never);
  await untilApplied();
  expect(await counts(topic)).toStrictEqual([]);
});

it('does not count a sharer that has neither a registry node nor a document', async () => {
  const { topic, ids } = await writeSharers();
  await run('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key: `graph:${ids[0]}` });
  await database.db.collection(graphAggregate.collection).deleteOne({ _id: ids[0] as ObjectId });
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  expect(await counts(topic)).toStrictEqual([2, 2]);
});

it("recognises a label by a user's constraint on its key", async () => {
  await run('CREATE CONSTRAINT mine FOR (n:Place) REQUIRE n.name IS UNIQUE');
  const place = { label: 'Place', key: { name: 'Ulm' } };
  const own = { _id: new ObjectId(), nodes: [{ ...place, properties: { size: 'x' } }], relationships: [] };
  const near = { type: 'NEAR', from: place, to: { label: 'Place', key: { name: 'Blaubeuren' } } };
  const graphs = trackCollection(database.client, database.db, graphAggregate);
  await graphs.insertMany([own, { _id: new ObjectId(), nodes: [], relationships: [near] }] as never[]);
  await untilApplied();
  expect(await outgraph('verify')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  await run("MATCH (:Place {name: 'Ulm'})-[r:NEAR]->() SET r.more = 'x'");
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, recorded: 1 });
  const { records } = await run("MATCH (p:Place {name: 'Ulm'})-[r:NEAR]->() RETURN p.size AS size, r.more AS more");
  expect(records[0]?.toObject()).toStrictEqual({ size: 'x', more: null });
});

it('does not remove elements that types outside the selection could list', async () => {
  const { topic } = await writeSharers();
  await run(
    `MATCH (t:Topic {name: $topic})
     CREATE (t)-[:ABOUT {_outgraphId: 'unlisted'}]->(:Town {name: 'Bonn', _outgraph: true})`,
    {
      topic,
    },
  );
  expect(await outgraph('verify', '--repair', 'memory-user', '--yes')).toMatchObject({
    exitCode: 4,
    elementsSettled: 0,
    verified: { differences: { unowned: 1 } },
  });
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({ exitCode: 0, elementsSettled: 1 });
});

it('does not delete the graph of a type whose collection is empty', async () => {
  const collection = database.db.collection(graphAggregate.collection);
  const documents = await collection.find({}, { promoteValues: false }).toArray();
  await collection.deleteMany({});
  expect(await outgraph('verify', '--repair', '--yes')).toMatchObject({
    exitCode: 4,
    outcome: 'different',
    deletionsRecorded: 0,
  });
  await collection.insertMany(documents);
});
