/** `startOutgraph` of `outgraph/testing`, as the tests of a service use it. */
import { inspect } from 'node:util';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog, defineAggregate, documentId } from '../../../exports/outgraph.ts';
import { graphOfDocuments, startOutgraph } from '../../../exports/testing.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { readGraph } from '../../support/model/read-graph.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const label = `Place${new ObjectId()}`;
const place = defineAggregate({
  type: 'testing-place',
  collection: 'places',
  id: documentId,
  payload: z.object({ at: z.object({ type: z.literal('Point'), coordinates: z.array(z.number()) }) }),
  declares: {
    labels: { [label]: ['id'] },
    types: [],
    indexes: [{ kind: 'point', label, properties: ['at'] }],
  },
  project: ({ at }, id) => ({ nodes: [{ label, key: { id }, properties: { at } }], relationships: [] }),
});
const driver = connectGraph(servers);
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await driver.executeQuery(`MATCH (n:${label}) DETACH DELETE n`);
  await driver.close();
  await database.drop();
});

const start = () => {
  const { MONGODB_URI, MONGODB_DATABASE, NEO4J_URI, ...environment } = database.settings;
  return startOutgraph({
    mongodbUri: MONGODB_URI,
    mongodbDatabase: MONGODB_DATABASE,
    neo4jUri: NEO4J_URI,
    catalog: createCatalog([place]),
    environment: { ...environment, WORKER_SWEEP_SECONDS: '1' },
  });
};

it('once settled, the graph is the graph of the documents, and a point index finds its points', async () => {
  await using outgraph = await start();
  const { client, db } = database;
  const places = trackCollection<unknown, { _id: string; at: { type: 'Point'; coordinates: number[] } }>(
    client,
    db,
    place,
  );
  const documents = [
    { _id: 'turin', at: { type: 'Point' as const, coordinates: [7.68, 45.07] } },
    { _id: 'peak', at: { type: 'Point' as const, coordinates: [6.86, 45.83, 4_806] } },
  ];
  await places.insertMany(documents);
  await outgraph.settled();
  const expected = graphOfDocuments(documents.map((document) => ({ definition: place, document })));
  expect(await readGraph(driver, 'neo4j', { [label]: ['id'] })).toStrictEqual(expected);
  const { records, summary } = await driver.executeQuery(
    `EXPLAIN MATCH (n:${label}) WHERE point.distance(n.at, point({longitude: 7.7, latitude: 45.1})) < 10000 RETURN n.id`,
  );
  expect(records).toStrictEqual([]);
  expect(inspect(summary.plan, { depth: null })).toContain('NodeIndexSeekByRange');
});

it('settled rejects with the fault of a dead event', async () => {
  const outgraph = await start();
  const event = upsertEvent(
    { at: { type: 'Point', coordinates: [0, 91] } },
    { aggregateType: place.type, aggregateId: 'x' },
  );
  const outbox = database.db.collection(outboxCollection);
  await outbox.insertOne(event);
  await expect(outgraph.settled()).rejects.toMatchObject({
    code: 'value-unsupported',
    message: expect.stringContaining('at.coordinates[1]'),
  });
  await outgraph.stop();
});
