/**
 * A bad event of any kind never delays others: each kind among good events, through the worker on
 * real servers.
 */
import { type Document, Int32, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { inChunks } from '../../../lib/runtime/in-chunks.ts';
import { consumerSettings, readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { writeDeclaredTypes } from '../../../lib/set-up/mongodb-declared-types.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { badEvents, takenMail, without, yearsAhead } from '../../support/bad-events.ts';
import { messagesOf } from '../../support/consume-events.ts';
import { insertRaw } from '../../support/insert-raw.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { sweepOn } from '../../support/sweep-on.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
  const { driver, label } = small.graph;
  await driver.executeQuery(`CREATE CONSTRAINT mail_${label} FOR (n:${label}) REQUIRE n.mail IS UNIQUE`);
  await driver.executeQuery(`CREATE (:${label} {mail: $takenMail})`, { takenMail });
});
afterAll(async () => {
  await small.graph.driver.executeQuery(`DROP CONSTRAINT mail_${small.graph.label} IF EXISTS`);
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection<Document>(outboxCollection);
const id = (name: string) => `${small.graph.label}-${name}`;
const good = (name: string) => upsertEvent({ nodes: [small.node(id(name))] }, { aggregateId: id(name) });

it('2,000 good events are applied among bad ones of every kind, each of which is dead with its code', {
  timeout: 240_000,
}, async () => {
  const goodEvents = Array.from({ length: 2_000 }, (_, index) => good(`good-${index}`));
  const bad = badEvents(small.graph.label);
  const worker = startWorker(
    readSettings(workerSettings, {
      ...database.settings,
      WORKER_SWEEP_SECONDS: '1',
      SWEEP_STALE_SECONDS: '2',
      CONFLICT_MAX_RECEIVES: '2',
    }),
    catalog,
    { ...silentLog, failed: () => undefined },
  );
  try {
    await outbox().insertMany(goodEvents.slice(0, 1_000));
    for (const { event, bypass = false } of bad)
      await insertRaw(database.db, outboxCollection, [event], { bypassDocumentValidation: bypass });
    await outbox().insertMany(goodEvents.slice(1_000));

    const isOpen = { status: { $nin: ['processed', 'dead'] }, aggregateType: { $ne: 'outgraph-canary' } };
    await waitUntil(async () => (await outbox().countDocuments(isOpen)) === 0 || undefined, {
      timeoutSeconds: 200,
      pollMillis: 100,
      what: 'every event to be settled',
    });
  } finally {
    await worker.stop();
  }
  const found = await database.db
    .collection<Document>(outboxCollection, { enableUtf8Validation: false })
    .find({}, { projection: { status: 1, 'error.code': 1 } })
    .toArray();
  const byId = new Map(found.map((event) => [String(event._id), event]));
  const outcomes = bad.map(({ what, event }) => {
    const { status, error }: Document = byId.get(String(event._id)) ?? {};
    return [what, status === 'processed' ? null : (error?.code ?? status)];
  });
  expect(outcomes).toStrictEqual(bad.map(({ what, code }) => [what, code]));
  const isGood = new Set(goodEvents.map(({ _id }) => String(_id)));
  expect(found.filter(({ _id, status }) => isGood.has(String(_id)) && status !== 'processed')).toStrictEqual([]);
  const count = `MATCH (n:${small.graph.label}) WHERE n.id STARTS WITH $group RETURN count(n) AS value`;
  expect(await small.count(count, { group: id('good-') })).toBe(2_000);
  expect(worker.health().failing).toStrictEqual({});
});

it('bad events that are pending before the worker starts do not keep it from good ones', async () => {
  const label = `${small.graph.label}Before`;
  const bad = badEvents(label).filter(
    ({ code, event }) =>
      code === 'event-invalid' && event.status === 'pending' && JSON.stringify(event).length < 10_000,
  );
  const before = Array.from({ length: 20 }, (_, index) => good(`before-${index}`));
  for (const { event, bypass = false } of bad)
    await insertRaw(database.db, outboxCollection, [event], { bypassDocumentValidation: bypass });
  await outbox().insertMany(before);
  const worker = startWorker(
    readSettings(workerSettings, { ...database.settings, WORKER_SWEEP_SECONDS: '1', PUBLISHER_LEASE_SECONDS: '5' }),
    catalog,
    { ...silentLog, failed: () => undefined },
  );
  const count = (events: readonly Document[], status: string) =>
    outbox().countDocuments({ _id: { $in: events.map(({ _id }) => _id) }, status } as Document);
  const badOnes = bad.map(({ event }) => event);
  try {
    await waitUntil(
      async () =>
        ((await count(before, 'processed')) === before.length && (await count(badOnes, 'dead')) === bad.length) ||
        undefined,
      { timeoutSeconds: 90, pollMillis: 100, what: 'every event to be settled' },
    );
  } finally {
    await worker.stop();
  }
  expect(bad.length).toBeGreaterThan(8);
});

it('packs of good events and bad ones of every kind leave the queue once all events are settled', async () => {
  const consumer = joinConsumer(readSettings(consumerSettings, database.settings), catalog, noQueue);
  const goodOnes = Array.from({ length: 120 }, (_, index) => good(`packed-${index}`));
  // A violated constraint is retried for minutes, because the violation may be temporary. An id of
  // another type has no pointer.
  const bad = badEvents(`${small.graph.label}Packed`).filter(
    ({ code, event }) => code !== 'constraint-violation' && event._id instanceof ObjectId,
  );
  const events = [...goodOnes.slice(0, 60), ...bad.map(({ event }) => event), ...goodOnes.slice(60)];
  for (const event of events)
    await insertRaw(database.db, outboxCollection, [event], { bypassDocumentValidation: true });
  const ids = events.map(({ _id }) => String(_id));
  const bodies = inChunks(ids, 100).map((chunk) =>
    JSON.stringify({ aggregateType: 'graph', events: chunk.map((eventId) => ({ eventId, aggregateId: 'x' })) }),
  );
  const messages = bodies.map((body, index) => ({ messageId: `pack${index}`, body, receiptHandle: '' }));
  let open = messages;
  for (let receiveCount = 1; open.length > 0 && receiveCount <= 5; receiveCount += 1) {
    const report = await consumer.consume(
      open.map((message) => ({ ...message, receiveCount })),
      () => 60_000,
      silentLog,
    );
    open = open.filter(({ messageId }) => report.failedMessageIds.includes(messageId));
  }
  // Deliver them once more, because SQS may deliver any message twice.
  const again = messages.map((message) => ({ ...message, receiveCount: 6 }));
  expect(await consumer.consume(again, () => 60_000, silentLog)).toMatchObject({ applied: 0, failedMessageIds: [] });
  await consumer.close();
  expect(open).toStrictEqual([]);
  const found = await database.db
    .collection<Document>(outboxCollection, { enableUtf8Validation: false })
    .find({ _id: { $in: events.map(({ _id }) => _id) } } as Document, { projection: { status: 1, 'error.code': 1 } })
    .toArray();
  const outcomes = new Map(found.map(({ _id, status, error }) => [String(_id), error?.code ?? status]));
  expect(bad.map(({ what, event }) => [what, outcomes.get(String(event._id))])).toStrictEqual(
    bad.map(({ what, code }) => [what, code ?? 'processed']),
  );
  const count = `MATCH (n:${small.graph.label}) WHERE n.id STARTS WITH $group RETURN count(n) AS value`;
  expect(await small.count(count, { group: id('packed-') })).toBe(120);
});

it('a bad event that the sweep finds first is dead, and the sweep continues', async () => {
  const events = [
    without(outboxEvent(), 'position'),
    outboxEvent({ _id: id('text') }),
    outboxEvent({ position: yearsAhead(2) }),
    ...['waiting', '', null, 3].map((status) => outboxEvent({ status })),
    without(outboxEvent(), 'status'),
  ];
  const due = outboxEvent({ attempts: new Int32(0) });
  await insertRaw(database.db, outboxCollection, [...events, due], { bypassDocumentValidation: true });
  const sent: string[] = [];
  const report = await sweepOn(
    database.db,
    {
      readServerTime: async () => new Date(Date.now() + 5_000),
      sendToQueue: async (packs) => {
        sent.push(...packs.flat().map(({ eventId }) => eventId));
        return [];
      },
    },
    { staleSeconds: 0 },
  );
  expect(report).toMatchObject({ unreachable: 8, failures: [] });
  expect(sent).toContain(String(due._id));
  expect(
    await outbox().countDocuments({ _id: { $in: events.map(({ _id }) => _id) }, status: 'dead' } as Document),
  ).toBe(8);
});

it('an event of a type that only the set-up knows stays pending without delaying its neighbours', async () => {
  const newer = `newer-${database.db.databaseName.slice(-6)}`;
  await writeDeclaredTypes(database.db, [...catalog.keys(), newer]);
  const reported: string[] = [];
  const consumer = joinConsumer(readSettings(consumerSettings, database.settings), catalog, noQueue);
  const events = [
    outboxEvent({ aggregateType: newer }),
    outboxEvent({ aggregateType: newer }),
    outboxEvent({ aggregateType: 'unheard-of' }),
    good('beside'),
  ];
  await outbox().insertMany(events);
  const messages = messagesOf(events.map(({ _id }) => _id));
  const log = { ...silentLog, typeUnknown: (type: string) => void reported.push(type) };
  for (let times = 0; times < 8; times += 1) await consumer.consume(messages, () => 60_000, log);
  await consumer.close();
  const statuses = await Promise.all(events.map(({ _id }) => outbox().findOne({ _id })));
  expect(statuses.map((event) => event?.error?.code ?? event?.status)).toStrictEqual([
    'pending',
    'pending',
    'aggregate-type-unknown',
    'processed',
  ]);
  expect(reported).toStrictEqual([newer]);
});
