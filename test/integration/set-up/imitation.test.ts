/**
 * A server that imitates MongoDB and does not fill in empty timestamps. A proxy in front of a real
 * server plays it: it makes the empty timestamp one that the server keeps.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { Transform } from 'node:stream';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CheckResult } from '../../../cli/doctor/doctor.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { fillsTimestamps } from '../../../lib/set-up/mongodb-timestamps.ts';
import { startOutgraph } from '../../support/run-outgraph.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

/** https://bsonspec.org/spec.html: type, name, increment, seconds. */
const empty = Buffer.from('\u0011position\0\0\0\0\0\0\0\0\0', 'latin1');
const kept = Buffer.from('\u0011position\0\u0001\0\0\0\0\0\0\0', 'latin1');

let database: TestDatabase;
let proxy: Server;
let uri: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const target = new URL(servers.mongodbUri);
  proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    const replace = new Transform({
      transform: (bytes: Buffer, _, done) =>
        done(
          null,
          Buffer.from(bytes.toString('latin1').replace(empty.toString('latin1'), kept.toString('latin1')), 'latin1'),
        ),
    });
    client.pipe(replace).pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => [client, server].map((one) => one.destroy()));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  uri = `mongodb://127.0.0.1:${(proxy.address() as AddressInfo).port}/?directConnection=true`;
});
afterAll(async () => {
  proxy.close();
  await database.drop();
});

const problem = /does not fill in an empty timestamp in a transaction/;

it('set-up refuses it in one sentence, and creates nothing', async () => {
  const name = `${database.db.databaseName}_imitation`;
  const settings = { ...database.settings, MONGODB_URI: uri, MONGODB_DATABASE: name };
  const { exitCode, stderr } = await startOutgraph(['set-up'], settings).ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 1, stderr: expect.stringMatching(problem) });
  expect(await database.client.db(name).listCollections().toArray()).toStrictEqual([]);
});

it('doctor calls it wrong, and a real server right', async () => {
  const timestamps = async (address: string) => {
    const settings = { ...database.settings, MONGODB_URI: address };
    const { checks } = JSON.parse((await startOutgraph(['doctor', '--json'], settings).ended).stdout) as {
      readonly checks: readonly CheckResult[];
    };
    return checks.find(({ name }) => name === 'timestamps');
  };
  expect(await timestamps(uri)).toMatchObject({ outcome: 'wrong', detail: expect.stringMatching(problem) });
  expect(await timestamps(servers.mongodbUri)).toMatchObject({ outcome: 'ok' });
});

it('the proof leaves no document, and no change in the oplog', async () => {
  const client = new MongoClient(servers.mongodbUri);
  const checkpoints = client.db(database.db.databaseName).collection(checkpointCollection);
  const changes = checkpoints.watch();
  await changes.tryNext();
  await expect(fillsTimestamps(checkpoints)).resolves.toBe(true);
  expect(await checkpoints.countDocuments()).toBe(0);
  await checkpoints.insertOne({ after: true });
  expect(await changes.next()).toMatchObject({ fullDocument: { after: true } });
  await changes.close();
  await client.close();
});
