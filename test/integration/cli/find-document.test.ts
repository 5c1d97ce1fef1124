/** Finds the document of an aggregate id, on a real MongoDB. */
import { type Document, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { afterAll, expect, test } from 'vitest';
import { type FindOptions, findDocument } from '../../../cli/documents/mongodb-find-document.ts';
import { listEvents } from '../../../cli/show/mongodb-recent-events.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { documentId } from '../../../lib/projection/define-aggregate.ts';
import { explainQueries } from '../../support/explain-queries.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase } from '../../support/test-database.ts';

const database = await createTestDatabase();
const { db } = database;
afterAll(database.drop);

const search: FindOptions = { walk: false, signal: new AbortController().signal, progress: () => undefined };
const byId = { type: 'thing', collection: 'things', id: documentId };
const bySlug = { type: 'book', collection: 'books', id: ({ slug }: Document) => `book/${slug.toString()}` };

test.for<[string, unknown]>([
  ['an ObjectId', new ObjectId()],
  ['a text that looks like an ObjectId', new ObjectId().toHexString()],
  ['a text that looks like an integer', '17'],
  ['a 32-bit integer', new Int32(18)],
  ['a 64-bit integer', Long.fromString('9223372036854775807')],
  ['a negative integer', new Int32(-4)],
  ['an integral double', new Double(19)],
  ['a UUID', new UUID()],
  ['an arbitrary text', 'a b/c:d'],
])('finds a document whose _id is %s without a scan', async ([, _id]) => {
  await db.collection('things').insertOne({ _id, name: 'it' } as Document);
  const found = await findDocument(db, byId, documentId({ _id }), search);
  expect(found).toMatchObject({ outcome: 'found', document: { name: 'it' } });
});

test.for([
  ['pending', {}],
  ['dead', { status: 'dead', deadAt: new Date(), error: { code: 'payload-invalid', message: 'm' } }],
  ['processed', { status: 'processed', processedAt: new Date() }],
] as const)('finds a document with a custom aggregate id by its %s event', async ([slug, fields]) => {
  const document = { _id: new ObjectId(), slug };
  await db.collection('books').insertOne(document);
  const event = upsertEvent(document, { aggregateType: 'book', aggregateId: `book/${slug}`, ...fields });
  await db.collection(outboxCollection).insertOne(event);
  expect(await findDocument(db, bySlug, `book/${slug}`, search)).toMatchObject({
    outcome: 'found',
    document: { slug },
  });
});

test('finds a document without events by a scan, and only if asked to scan', async () => {
  await db.collection('books').insertOne({ _id: new ObjectId(), slug: 'unknown' });
  expect(await findDocument(db, bySlug, 'book/unknown', search)).toStrictEqual({ outcome: 'not-found' });
  expect(await findDocument(db, bySlug, 'book/unknown', { ...search, walk: true })).toMatchObject({
    outcome: 'found',
    document: { slug: 'unknown' },
  });
});

test('if the id is the text of the _id, a missing document is known without a scan', async () => {
  const scanned: number[] = [];
  const scanning = { ...search, walk: true, progress: (count: number) => scanned.push(count) };
  expect(await findDocument(db, byId, new ObjectId().toHexString(), scanning)).toStrictEqual({ outcome: 'absent' });
  expect(scanned).toStrictEqual([]);
});

test('accepts a document only if its id matches, and skips one without an id', async () => {
  const other = { _id: new ObjectId(), slug: 'renamed' };
  await db.collection<Document>('books').insertMany([other, { _id: new ObjectId() }]);
  const event = upsertEvent(other, { aggregateType: 'book', aggregateId: 'book/before' });
  await db.collection(outboxCollection).insertOne(event);
  const scanned: number[] = [];
  const found = await findDocument(db, bySlug, 'book/before', {
    ...search,
    walk: true,
    progress: (count) => scanned.push(count),
  });
  expect(found).toStrictEqual({ outcome: 'absent' });
  expect(scanned.at(-1)).toBe(await db.collection('books').countDocuments());
});

test('an interrupted scan says so', async () => {
  const interrupted = { ...search, walk: true, signal: AbortSignal.abort() };
  expect(await findDocument(db, bySlug, 'book/nowhere', interrupted)).toStrictEqual({ outcome: 'interrupted' });
});

test('lists the events of an aggregate newest first, each once, by index and without payloads', async () => {
  const aggregate = { aggregateType: 'many', aggregateId: 'it' };
  const outbox = db.collection(outboxCollection);
  const written = (t: number) => ({ ...aggregate, position: new Timestamp({ t, i: 1 }) });
  const error = { code: 'payload-invalid', message: 'm' };
  await outbox.insertMany([
    upsertEvent({ secret: 1 }, { ...written(3), status: 'processed', processedAt: new Date() }),
    upsertEvent({ secret: 1 }, { ...written(1), status: 'processed', processedAt: new Date() }),
    upsertEvent({ secret: 1 }, { ...written(2), status: 'dead', deadAt: new Date(), error }),
    upsertEvent(null, { ...written(4), attempts: new Int32(2) }),
    ...Array.from({ length: 50 }, () => upsertEvent({}, { aggregateType: 'many' })),
  ]);
  const events = await listEvents(outbox, aggregate, 10);
  expect(events.map(({ position }) => position.slice(0, 8))).toStrictEqual(
    ['4', '3', '2', '1'].map((t) => t.padStart(8, '0')),
  );
  expect(events[0]).toMatchObject({ operation: 'delete', status: 'pending', attempts: 2, error: null });
  expect(events[2]).toMatchObject({ status: 'dead', error, processedAt: null });
  expect(JSON.stringify(events)).not.toContain('secret');
  const work = await explainQueries(servers.mongodbUri, db.databaseName, (one) =>
    listEvents(one.collection(outboxCollection), aggregate, 10),
  );
  expect(work).toMatchObject([{ indexes: ['outgraph_unsettled'], documents: 2 }, { indexes: ['outgraph_purge'] }]);
});
