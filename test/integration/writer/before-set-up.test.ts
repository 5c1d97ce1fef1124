import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readClusterTime } from '../../../lib/outbox/mongodb-clock.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { scanPending } from '../../../lib/publisher/mongodb-backlog.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { servers } from '../../support/servers.ts';

const client = new MongoClient(servers.mongodbUri);
const db = client.db(`outgraph_test_${randomBytes(6).toString('hex')}`);
const outbox = db.collection('outbox');

beforeAll(() => client.connect());
afterAll(async () => {
  await db.dropDatabase();
  await client.close();
});

it('the set-up keeps events recorded before it, and they are published first', async () => {
  const graphs = trackCollection<unknown, { _id: string }>(client, db, graph);
  await graphs.insertOne({ _id: 'a' });
  await expect(graphs.insertOne({ _id: 'x'.repeat(513) })).rejects.toMatchObject({ code: 'event-invalid' });
  const steps = await setUpOutbox(db, { processedRetentionSeconds: 3600 });
  expect(steps).toContainEqual({ what: 'validator of outbox', outcome: 'applied' });
  await graphs.insertOne({ _id: 'b' });
  const until = await readClusterTime(client, outbox);
  const { pointers } = await scanPending(client, outbox, { after: null, until }, 10);
  expect(pointers.map(({ aggregateId }) => aggregateId)).toStrictEqual(['a', 'b']);
  await expect(outbox.insertOne({ status: 'pending' })).rejects.toMatchObject({ code: 121 });
});
