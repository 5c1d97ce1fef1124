/**
 * Another team's service, `examples/bookshop`, with the packages that `npm pack` creates. It is
 * deployed beside the main stack with its own name and database. What its writer commits reaches
 * the graph through its own projections and functions.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { deployStage, invokeOnce } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { shareOutboxId } from '../support/outbox-id.ts';
import { installExample, packPackages } from '../support/packed-package.ts';
import { stack } from '../support/stack.ts';
import { closeClients, mongodb, query } from '../support/wait-for.ts';
import { removeResources, targetBeside } from './second-deployment.ts';

const [service, stage] = ['bookshop', 'local'];
const name = `${service}-${stage}`;
const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const lambda = new LambdaClient(aws);
const unique = randomBytes(6).toString('hex');
const db = mongodb.db(`outgraph_${service}_${unique}`);
const outbox = db.collection(outboxCollection);

const customerId = `ada-${unique}`;
const orderId = `order-${unique}`;
const isbns = ['sicp', 'taocp', 'rfc'].map((title) => `${title}-${unique}`);
const [sicp = '', taocp = '', rfc = ''] = isbns;

/** Long enough for a busy machine. */
const packAndDeployMillis = 360_000;

let folder: string;
let installed: string;
let deployed = false;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-bookshop-'));
  installed = await installExample(await packPackages(folder), service, folder);

  const target = targetBeside(db.databaseName, service);
  await shareOutboxId(db);
  await putWriterSecret();
  deployed = true;
  await deployStage(target, { service, stage, params: [], folder: installed });
  // The schedule would start it a minute later.
  await invokeOnce(target, `${name}-publisher`);
}, packAndDeployMillis);
afterAll(async () => {
  if (deployed) await removeResources(name);
  await db.dropDatabase();
  lambda.destroy();
  await closeClients();
  await rm(folder, { recursive: true, force: true });
});

/** Stores the writer's secret, as the bookshop's README describes. */
async function putWriterSecret(): Promise<void> {
  const ssm = new SSMClient(aws);
  const Name = `/${service}/${stage}/take-order/mongodb-uri`;
  await ssm.send(new PutParameterCommand({ Name, Value: stack.mongodbUri, Type: 'SecureString', Overwrite: true }));
  ssm.destroy();
}

/** Calls the bookshop's writer. Resolves with its error, if there is one. */
async function takeOrder(request: object): Promise<string | undefined> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: `${name}-takeOrder`, Payload: JSON.stringify(request) }),
  );
  return answer.FunctionError === undefined ? undefined : (answer.Payload?.transformToString() ?? '');
}

/** Resolves once everything written is applied. */
async function untilApplied(): Promise<void> {
  const ofBookshop = { aggregateType: { $in: ['customer', 'order'] } };
  const applied = async () =>
    (await outbox.countDocuments({ ...ofBookshop, status: { $ne: 'processed' } })) === 0 || undefined;
  await waitUntil(applied, { timeoutSeconds: 120, pollMillis: 50, what: "the bookshop's events to be processed" });
}

const customers = () => query('MATCH (c:Customer {customer_id: $customerId}) RETURN c.name AS name', { customerId });
const books = () =>
  query(
    `MATCH (:Customer {customer_id: $customerId})-[:PLACED]->(o:Order {order_id: $orderId})-[c:CONTAINS]->(b:Book)
     RETURN b.isbn AS isbn, c.copies AS copies, valueType(o.placed_at) AS placed ORDER BY isbn`,
    { customerId, orderId },
  );
const placed = 'ZONED DATETIME NOT NULL';

it('a placed order appears in the graph with its customer and its books', async () => {
  const lines = [
    { isbn: sicp, copies: 1 },
    { isbn: taocp, copies: 4 },
  ];
  expect(
    await takeOrder({ action: 'place', orderId, customer: { id: customerId, name: 'Ada' }, lines }),
  ).toBeUndefined();
  await untilApplied();
  expect(await customers()).toStrictEqual([{ name: 'Ada' }]);
  expect(await books()).toStrictEqual([
    { isbn: sicp, copies: 1n, placed },
    { isbn: taocp, copies: 4n, placed },
  ]);
});

it('a refused order changes nothing, not even the name of its customer', async () => {
  const before = await outbox.countDocuments({ aggregateType: { $in: ['customer', 'order'] } });
  const again = {
    action: 'place',
    orderId,
    customer: { id: customerId, name: 'Augusta' },
    lines: [{ isbn: rfc, copies: 1 }],
  };
  expect(await takeOrder(again)).toContain('E11000');
  expect(await outbox.countDocuments({ aggregateType: { $in: ['customer', 'order'] } })).toBe(before);
  expect(await db.collection('customers').findOne({ name: 'Augusta' })).toBeNull();
});

it('a changed order changes its relationships, and a book without orders is removed', async () => {
  const lines = [
    { isbn: taocp, copies: 5 },
    { isbn: rfc, copies: 1 },
  ];
  expect(await takeOrder({ action: 'change', orderId, lines })).toBeUndefined();
  await untilApplied();
  expect(await books()).toStrictEqual([
    { isbn: rfc, copies: 1n, placed },
    { isbn: taocp, copies: 5n, placed },
  ]);
  expect(await query('MATCH (b:Book {isbn: $sicp}) RETURN b', { sicp })).toStrictEqual([]);
});

it("the package's command backfills a customer with the bookshop's catalog", async () => {
  await db.collection<{ _id: string }>('customers').updateOne({ _id: customerId }, { $set: { name: 'Ada Lovelace' } });
  const args = ['backfill', 'customer', '--catalog', 'aggregates/catalog.ts', '--yes'];
  await promisify(execFile)(
    process.execPath,
    [path.join(installed, 'node_modules/outgraph/bin/outgraph.mjs'), ...args],
    {
      cwd: installed,
      env: { ...process.env, ...targetBeside(db.databaseName, service).databases },
    },
  );
  await untilApplied();
  expect(await customers()).toStrictEqual([{ name: 'Ada Lovelace' }]);
});

it('a cancelled order is removed, and its customer remains', async () => {
  expect(await takeOrder({ action: 'cancel', orderId })).toBeUndefined();
  await untilApplied();
  const remaining = await query('MATCH (n:Order|Book) WHERE n.order_id = $orderId OR n.isbn IN $isbns RETURN n', {
    orderId,
    isbns,
  });
  expect(remaining).toStrictEqual([]);
  expect(await customers()).toStrictEqual([{ name: 'Ada Lovelace' }]);
});
