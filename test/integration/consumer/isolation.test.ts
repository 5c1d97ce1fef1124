/** One bad event never holds up another, whatever is wrong with it: each kind among good events, through the worker on real servers. */
import { type Document, Int32, ObjectId, Timestamp } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { waitUntil } from '../../../infra/local/wait-until.ts';
import { aggregates } from '../../../lib/aggregates/catalog.ts';
import { readSettings, workerSettings } from '../../../lib/config/settings.ts';
import type { DataFaultCode } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { startWorker } from '../../../lib/wiring/worker.ts';
import { insertRaw, wrongText } from '../../support/insert-raw.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { silentLog } from '../../support/silent-log.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { sweepOn } from '../../support/sweep-on.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
const extraLabels: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
  const { driver, label } = small.graph;
  await driver.executeQuery(`CREATE CONSTRAINT mail_${label} FOR (n:${label}) REQUIRE n.mail IS UNIQUE`);
  await driver.executeQuery(`CREATE (:${label} {mail: 'still has relationships'})`);
});
afterAll(async () => {
  await small.graph.driver.executeQuery(`DROP CONSTRAINT mail_${small.graph.label} IF EXISTS`);
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection<Document>(outboxCollection);
const id = (name: string) => `${small.graph.label}-${name}`;
const valid = (name: string, fields: Document = {}, node: object = {}) =>
  upsertEvent({ nodes: [small.node(id(name), node)] }, { aggregateId: id(name), ...fields });
const without = (event: Document, field: string) =>
  Object.fromEntries(Object.entries(event).filter(([name]) => name !== field));

interface Kind {
  readonly what: string;
  readonly event: () => Document;
  /** Null: it is applied. */
  readonly code: DataFaultCode | null;
  /** Past the validator. */
  readonly bypass?: true;
}

const kinds: readonly Kind[] = [
  { what: 'a traceparent that is not UTF-8', event: () => valid('a', { traceparent: wrongText }), code: null },
  {
    what: 'an aggregateId that is not UTF-8',
    event: () => valid('b', { aggregateId: wrongText }),
    code: 'event-invalid',
  },
  {
    what: 'a payload with a text that is not UTF-8',
    event: () => valid('c', {}, { properties: { text: wrongText } }),
    code: 'event-invalid',
  },
  {
    what: 'a payload with a name that is not UTF-8',
    event: () => valid('d', {}, { properties: { [wrongText]: 'x' } }),
    code: 'name-invalid',
  },
  { what: 'no position', event: () => without(valid('e'), 'position'), code: 'event-invalid', bypass: true },
  { what: 'a text as position', event: () => valid('f', { position: 'now' }), code: 'event-invalid', bypass: true },
  { what: 'a text as _id', event: () => valid('g', { _id: id('g') }), code: 'event-invalid', bypass: true },
  {
    what: 'an _id that looks like an ObjectId',
    event: () => valid('h', { _id: new ObjectId().toHexString() }),
    code: 'event-invalid',
    bypass: true,
  },
  { what: 'no payload', event: () => without(valid('i'), 'payload'), code: 'event-invalid', bypass: true },
  { what: 'an unknown field', event: () => valid('j', { more: 1 }), code: 'event-invalid', bypass: true },
  { what: 'no aggregateType', event: () => without(valid('k'), 'aggregateType'), code: 'event-invalid', bypass: true },
  {
    what: 'an aggregateId of 300 kB',
    event: () => valid('l', { aggregateId: 'x'.repeat(300_000) }),
    code: 'event-invalid',
    bypass: true,
  },
  { what: 'a text as attempts', event: () => valid('m', { attempts: 'none' }), code: 'event-invalid', bypass: true },
  { what: 'a status of its own', event: () => valid('n', { status: 'waiting' }), code: 'event-invalid', bypass: true },
  { what: 'an error beside its status', event: () => valid('o', { error: 'x' }), code: 'event-invalid', bypass: true },
  { what: 'no room left in its document', event: () => full(valid('p')), code: 'event-invalid', bypass: true },
  { what: 'a position a year ahead', event: () => valid('q', { position: yearsAhead(1) }), code: 'position-in-future' },
  {
    what: 'a value that a unique constraint refuses, and that looks like an error of Neo4j',
    event: () => valid('r', {}, { properties: { mail: 'still has relationships' } }),
    code: 'constraint-violation',
  },
  {
    what: 'a key that is too long for an index',
    event: () => valid('s'.repeat(400), {}, { key: { id: 's'.repeat(40_000) } }),
    code: 'key-too-large',
  },
  { what: 'more new labels than one event may create', event: () => labelled(60), code: 'labels-too-many' },
  {
    what: 'an additional label that has a key',
    event: () => valid('u', {}, { labels: ['User'] }),
    code: 'label-keyed',
  },
  {
    what: 'a type that is not in the catalog',
    event: () => valid('v', { aggregateType: 'unheard-of' }),
    code: 'aggregate-type-unknown',
  },
  {
    what: 'a value that no property can have',
    event: () => valid('w', {}, { properties: { nested: { a: 1 } } }),
    code: 'value-unsupported',
  },
];

const yearsAhead = (years: number) => new Timestamp({ t: Math.floor(Date.now() / 1000) + years * 31_536_000, i: 1 });

function labelled(count: number): Document {
  const labels = Array.from({ length: count }, (_, index) => `${small.graph.label}x${index}`);
  extraLabels.push(...labels);
  return upsertEvent({ nodes: labels.map((label) => ({ label, key: { id: 'x' } })) }, { aggregateId: id('labels') });
}

/** As large as MongoDB takes a document. */
function full(event: Document): Document {
  const size = 16 * 1024 * 1024 - 1_200;
  return { ...event, payload: { nodes: [], relationships: [], text: 'x'.repeat(size) } };
}

it('2,000 good events are applied while one event of every bad kind is among them, and each bad one is dead with its code', {
  timeout: 240_000,
}, async () => {
  const good = Array.from({ length: 2_000 }, (_, index) => valid(`good-${index}`));
  const bad = kinds.map(({ event, ...kind }) => ({ ...kind, event: event() }));
  const worker = startWorker(
    readSettings(workerSettings, {
      ...database.settings,
      WORKER_SWEEP_SECONDS: '1',
      SWEEP_STALE_SECONDS: '2',
      CONFLICT_MAX_RECEIVES: '2',
    }),
    aggregates,
    { ...silentLog, failed: () => undefined },
  );
  try {
    await outbox().insertMany(good.slice(0, 1_000));
    for (const { event, bypass = false } of bad)
      await insertRaw(database.db, outboxCollection, [event], { bypassDocumentValidation: bypass });
    await outbox().insertMany(good.slice(1_000));

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
  const isGood = new Set(good.map(({ _id }) => String(_id)));
  expect(found.filter(({ _id, status }) => isGood.has(String(_id)) && status !== 'processed')).toStrictEqual([]);
  const count = `MATCH (n:${small.graph.label}) WHERE n.id STARTS WITH $group RETURN count(n) AS value`;
  expect(await small.count(count, { group: id('good-') })).toBe(2_000);
  expect(worker.health()).toMatchObject({ healthy: true });
});

it('an event that the sweep finds before any pointer does is dead, and the sweep goes on', async () => {
  const events = [
    without(outboxEvent(), 'position'),
    outboxEvent({ _id: id('text') }),
    outboxEvent({ position: yearsAhead(2) }),
  ];
  const due = outboxEvent({ attempts: new Int32(0) });
  await insertRaw(database.db, outboxCollection, [...events, due], { bypassDocumentValidation: true });
  const sent: string[] = [];
  const report = await sweepOn(
    database.db,
    {
      readServerTime: async () => new Date(Date.now() + 5_000),
      sendToQueue: async (pointers) => {
        sent.push(...pointers.map(({ eventId }) => eventId));
        return [];
      },
    },
    { staleSeconds: 0 },
  );
  expect(report).toMatchObject({ unreachable: 3, failures: [] });
  expect(sent).toContain(String(due._id));
  expect(
    await outbox().countDocuments({ _id: { $in: events.map(({ _id }) => _id) }, status: 'dead' } as Document),
  ).toBe(3);
});
