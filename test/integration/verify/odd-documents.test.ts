/**
 * Documents that cannot be read, that share an aggregate id, or that the server deletes by itself;
 * and other unusual data.
 */
import path from 'node:path';
import { type Document, Long, ObjectId } from 'mongodb';
import { expect, vi } from 'vitest';
import { insertRaw, wrongText } from '../../support/insert-raw.ts';
import { answerOf, startOutgraph } from '../../support/run-outgraph.ts';
import { it, type Site, settingsOf } from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const OUTGRAPH_CATALOG = path.join(import.meta.dirname, 'customer-catalog.ts');

async function run({ database, graph }: Site, ...args: readonly string[]): Promise<Document> {
  const settings = { ...settingsOf(database, graph), OUTGRAPH_CATALOG };
  const running = startOutgraph([...args, '--json'], settings);
  return { stderr: (await running.ended).stderr, ...(await answerOf(running)) };
}

const checkOf = async (site: Site, name: string) =>
  (await run(site, 'doctor')).checks.find((check: { readonly name: string }) => check.name === name);

it('a document with text that is not UTF-8 is reported by its id, and the others are processed', async ({ site }) => {
  const { db } = site.database;
  const customers = db.collection<{ _id: string }>('customers');
  await customers.insertMany([{ _id: 'a' }, { _id: 'z' }]);
  await insertRaw(db, 'customers', [{ _id: 'm', name: `Zo${wrongText}` }]);
  const damaged = {
    kind: 'dead',
    aggregate: 'customer:m',
    element: null,
    reason: expect.stringContaining('_id "m" contains text that is not valid UTF-8'),
  };
  const before = await run(site, 'verify', 'customer');
  expect(before).toMatchObject({ exitCode: 4, documents: 3, differences: { dead: 1, missing: 2 } });
  expect(before.first).toContainEqual(damaged);
  const direct = await run(site, 'backfill', 'customer', '--direct', '--yes');
  expect(direct.results.customer).toMatchObject({ applied: 2, unrecordable: 1 });
  expect(direct.stderr).toContain('"m"');
  const through = await run(site, 'backfill', 'customer', '--yes');
  expect(through.results.customer).toMatchObject({ throughOutbox: 2, unrecordable: 1 });
  await db.collection('outbox').updateMany({}, { $set: { status: 'processed', processedAt: new Date() } });
  const after = await run(site, 'verify', 'customer');
  expect(after).toMatchObject({ exitCode: 4, differences: { dead: 1, missing: 0, stale: 0 }, first: [damaged] });
  const shown = await run(site, 'show', 'customer', 'm');
  expect(shown).toMatchObject({ exitCode: 4, document: { _id: 'm' }, fault: { code: 'payload-invalid' } });
  await customers.deleteOne({ _id: 'm' });
});

it("a user's copy of a node, including its marks, is reported as a copy and not repaired", async ({ site }) => {
  const query = async (statement: string) => (await site.graph.driver.executeQuery(statement)).records;
  await query('CREATE CONSTRAINT history FOR (h:History) REQUIRE h.hid IS UNIQUE');
  await query(
    `MATCH (c:Customer {id: 'a'})
     CREATE (h:History {hid: 'h1'}), (o:Archive) SET h += properties(c), o += properties(c)`,
  );
  const found = await run(site, 'verify', 'customer');
  expect(found).toMatchObject({ exitCode: 4, differences: { unowned: 2, ghost: 0, changed: 0 } });
  for (const { reason } of found.first) expect(reason).toContain('The node is a copy');
  expect(await run(site, 'verify', '--repair', 'customer', '--yes')).toMatchObject({ exitCode: 4, elementsSettled: 0 });
  expect(await query('MATCH (n) WHERE n:History OR n:Archive DETACH DELETE n RETURN n')).toHaveLength(2);
  await query('DROP CONSTRAINT history');
});

it('verify and doctor report documents whose ids differ only in their type', async ({ site }) => {
  const orders = site.database.db.collection<{ _id: unknown }>('orders');
  expect(await checkOf(site, 'ids of documents')).toMatchObject({ outcome: 'ok' });
  const id = new ObjectId();
  await orders.insertMany([{ _id: 7 }, { _id: '7' }, { _id: id }, { _id: id.toHexString() }, { _id: Long.MAX_VALUE }]);
  const { differences, first, exitCode } = await run(site, 'verify', 'order', '--first', '100');
  expect({ exitCode, differences }).toMatchObject({ exitCode: 4, differences: { dead: 2, missing: 3 } });
  for (const key of ['order:7', `order:${id}`])
    expect(first).toContainEqual(
      expect.objectContaining({
        aggregate: key,
        reason: expect.stringContaining('Several documents have this aggregate id'),
      }),
    );
  const check = await checkOf(site, 'ids of documents');
  expect(check).toMatchObject({ outcome: 'wrong', detail: expect.stringContaining('7 and "7" of orders') });
  expect(check.detail).toContain(id.toHexString());
});

it('doctor reports a TTL index on a tracked collection', async ({ site }) => {
  const { db } = site.database;
  expect(await checkOf(site, 'deletion of documents')).toMatchObject({ outcome: 'ok' });
  await db.collection('customers').createIndex({ seenAt: 1 }, { expireAfterSeconds: 60, name: 'forget' });
  expect(await checkOf(site, 'deletion of documents')).toMatchObject({
    outcome: 'wrong',
    detail: expect.stringContaining('forget of customers'),
    advice: expect.stringContaining('outgraph verify'),
  });
});

it('shows the error of a projection with its place in the catalog', async ({ site }) => {
  const { database, graph } = site;
  await database.db.collection('customers').insertOne({ _id: new ObjectId('66a0c0ffee0123456789abcd'), fails: true });
  const shown = await run(site, 'show', 'customer', '66a0c0ffee0123456789abcd');
  expect(shown.fault).toMatchObject({
    code: 'projection-failed',
    trace: expect.stringContaining('Error: no such field'),
  });
  expect(shown.fault.trace).toContain('customer-catalog.ts:');
  const settings = { ...settingsOf(database, graph), OUTGRAPH_CATALOG };
  const { stdout } = await startOutgraph(['show', 'customer', '66a0c0ffee0123456789abcd'], settings).ended;
  expect(stdout).toMatch(/threw Error\. \(projection-failed\)\n\s+Error: no such field\n\s+at /);
});

it("doctor and set-up report a user's index on the key of a label, with the statement that drops it", async ({
  site,
}) => {
  const { database, graph } = site;
  const drop = 'DROP INDEX `my orders`';
  const names = 'SHOW CONSTRAINTS YIELD name, labelsOrTypes WHERE "Order" IN labelsOrTypes RETURN name';
  for (const record of (await graph.driver.executeQuery(names)).records)
    await graph.driver.executeQuery(`DROP CONSTRAINT \`${record.get('name')}\``);
  await graph.driver.executeQuery('CREATE RANGE INDEX `my orders` FOR (o:Order) ON (o.id)');
  const { checks } = await run(site, 'doctor');
  const found = checks.find(({ detail }: { readonly detail: string }) => detail.includes('my orders'));
  expect(found).toMatchObject({ outcome: 'wrong', detail: expect.stringContaining(drop) });
  const settings = { ...settingsOf(database, graph), OUTGRAPH_CATALOG };
  const refused = await startOutgraph(['set-up'], settings).ended;
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(drop) });
  await graph.driver.executeQuery(drop);
  expect(await startOutgraph(['set-up'], settings).ended).toMatchObject({ exitCode: 0 });
});

it("a relationship to another program's node with the same number as a FLOAT key is no difference", async ({
  site,
}) => {
  const { database, graph } = site;
  await graph.driver.executeQuery('CREATE (:Place {id: 5.0})');
  await database.db.collection<{ _id: string }>('visits').insertOne({ _id: 'v' });
  const direct = await run(site, 'backfill', 'visit', '--direct', '--yes');
  expect(direct.results.visit).toMatchObject({ applied: 1 });
  expect(await run(site, 'verify', 'visit')).toMatchObject({ exitCode: 0, outcome: 'equal' });
  const { records } = await graph.driver.executeQuery('MATCH (:Visit)-[:AT]->(p) RETURN properties(p) AS place');
  expect(records.map((record) => record.get('place'))).toStrictEqual([{ id: 5 }]);
});
