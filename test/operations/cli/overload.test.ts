/**
 * An event that needs too much memory or time, or waits for a foreign lock, does not delay others.
 */
import type { Document, ObjectId } from 'mongodb';
import { afterEach, expect } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { openConsumer, type TestConsumer } from '../../support/consume-events.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { it, type Site, settingsOf, startConsumer } from '../../support/site.ts';

const consumers: TestConsumer[] = [];
afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close();
});
function consumerOn({ database, graph }: Site): TestConsumer {
  const consumer = openConsumer(settingsOf(database, graph));
  consumers.push(consumer);
  return consumer;
}
const outboxOf = ({ database }: Site) => database.db.collection<Document>(outboxCollection);

const node = (label: string, id: string, properties: object = {}) => ({ label, key: { id }, properties });
const owning = (aggregateId: string, nodes: readonly object[]) =>
  upsertEvent({ nodes, relationships: [] }, { aggregateId });

async function write(site: Site, events: readonly (Document & { _id: ObjectId })[]): Promise<ObjectId[]> {
  await outboxOf(site).insertMany([...events]);
  return events.map(({ _id }) => _id);
}
async function countByStatus(site: Site, ids: readonly ObjectId[]): Promise<Readonly<Record<string, number>>> {
  const found = await outboxOf(site)
    .find({ _id: { $in: [...ids] } }, { projection: { status: 1, error: 1 } })
    .toArray();
  const names = found.map(({ status, error }) => (error === undefined ? status : error.code) as string);
  return Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

it('a foreign lock on one node leaves one of 24 events pending, and the message names the lock', {
  timeout: 300_000,
}, async ({ site }) => {
  const consumer = consumerOn(site);
  const ids = Array.from({ length: 24 }, (_, index) => `locked-${index}`);
  await consumer.consume(
    await write(
      site,
      ids.map((id) => owning(id, [node('Locked', id)])),
    ),
  );
  const session = site.graph.driver.session();
  const transaction = session.beginTransaction();
  await transaction.run('MATCH (n:Locked {id: $id}) SET n.mine = true', { id: ids[17] });
  const changed = await write(
    site,
    ids.map((id) => owning(id, [node('Locked', id, { text: 'new' })])),
  );
  const report = await consumer.consume(changed);
  expect(await countByStatus(site, changed)).toStrictEqual({ processed: 23, pending: 1 });
  expect(report).toMatchObject({ failed: 1, dead: 0, lastFailure: { code: 'graph-locked' } });
  expect(report.lastFailure?.message).toMatch(/transaction-\d+ holds a lock .* SHOW TRANSACTIONS/);

  // It is never dead, however often it fails because of the lock.
  for (let receives = 2; receives <= 6; receives += 1) await consumer.consume(changed, receives);
  expect(await countByStatus(site, changed)).toStrictEqual({ processed: 23, pending: 1 });
  await transaction.rollback();
  await session.close();
  await consumer.consume(changed, 7);
  expect(await countByStatus(site, changed)).toStrictEqual({ processed: 24 });
});

it('other events are applied while a constraint takes long to build', { timeout: 300_000 }, async ({ site }) => {
  const consumer = consumerOn(site);
  const session = site.graph.driver.session();
  // The index of a constraint waits for all older transactions on its label.
  const older = session.beginTransaction();
  await older.run('CREATE (:Slow {id: -1})');
  const [slow, ...others] = await write(site, [
    owning('slow', [node('Slow', 's')]),
    ...Array.from({ length: 20 }, (_, index) => owning(`beside-${index}`, [node('Beside', `${index}`)])),
  ]);
  const report = await consumer.consume([slow as ObjectId, ...others]);
  expect(await countByStatus(site, others)).toStrictEqual({ processed: 20 });
  expect(report).toMatchObject({ failed: 1, lastFailure: { code: 'constraint-building' } });
  expect(report.lastFailure?.message).toContain('outgraph_key_Slow');
  await older.rollback();
  await session.close();
  await waitUntil(
    async () => {
      await consumer.consume([slow as ObjectId], 2);
      return (await countByStatus(site, [slow as ObjectId])).processed === 1 || undefined;
    },
    { timeoutSeconds: 60, pollMillis: 100, what: 'the constraint to be built' },
  );
});

it('an event that creates labels is applied after the others', { timeout: 300_000 }, async ({ site }) => {
  const consumer = consumerOn(site);
  const labels = Array.from({ length: 20 }, (_, index) => `Fresh${index}`);
  const ids = await write(site, [
    owning(
      'labels',
      labels.map((label) => node(label, 'x')),
    ),
    owning('neighbour', [node('Beside', 'neighbour')]),
  ]);
  await consumer.consume(ids);
  expect(await countByStatus(site, ids)).toStrictEqual({ processed: 2 });
  const { records } = await site.graph.driver.executeQuery(
    `MATCH (n) WHERE n.id IN ["x", "neighbour"]
     RETURN DISTINCT n._outgraphOwner AS owner, max(id(n)) AS last ORDER BY last`,
  );
  expect(records.map((record) => record.get('owner'))).toStrictEqual(['graph:neighbour', 'graph:labels']);
});

it('with 16 MB per transaction, 300 events of 80 kB are processed, and one that is too large is dead', {
  timeout: 240_000,
}, async ({ site }) => {
  await site.graph.neo4j.configure(['db.memory.transaction.max=16m']);
  await site.graph.neo4j.stop();
  await site.graph.neo4j.start();
  const text = 'x'.repeat(2_000);
  const events = Array.from({ length: 300 }, (_, index) =>
    owning(
      `wide-${index}`,
      Array.from({ length: 40 }, (__, place) => node('Wide', `${index}-${place}`, { text })),
    ),
  );
  const huge = owning(
    'huge',
    Array.from({ length: 6_000 }, (_, place) => node('Wide', `huge-${place}`, { text })),
  );
  const ids = await write(site, [...events.slice(0, 150), huge, ...events.slice(150)]);
  const worker = startConsumer(site.database, site.graph);
  const isOpen = { _id: { $in: ids }, status: 'pending' };
  await waitUntil(async () => (await outboxOf(site).countDocuments(isOpen)) === 0 || undefined, {
    timeoutSeconds: 200,
    pollMillis: 200,
    what: 'all events to be settled',
  });
  expect(await countByStatus(site, ids)).toStrictEqual({ processed: 300, 'transaction-too-large': 1 });
  await worker.stop();
});
