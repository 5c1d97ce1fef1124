/**
 * The trigger's match and projection, run as a change stream on a real replica set, as an Atlas
 * Trigger does.
 */
import { BSON, type ChangeStream, type Document, type ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readPointers } from '../../../lib/contract/pointer.ts';
import { atlasDetails, atlasEnvelope } from '../../support/atlas-envelope.ts';
import { atlasTrigger, triggerPipeline } from '../../support/atlas-trigger.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const { EJSON } = BSON;
const secret = 'only in the payload';
type OutboxEvent = ReturnType<typeof upsertEvent>;
const outbox = () => database.db.collection(outboxCollection);

/** Opens a change stream that returns every change from now on. */
async function watch(pipeline: Document[]): Promise<ChangeStream> {
  const stream = outbox().watch(pipeline, { maxAwaitTimeMS: 100 });
  // The driver opens the stream at the first read, and has a token from then on.
  await stream.tryNext();
  return stream;
}

/** Reads changes up to the one of this event. */
async function readUntil(stream: ChangeStream, last: { readonly _id: ObjectId }): Promise<readonly Document[]> {
  const changes: Document[] = [];
  while (!changes.some(({ fullDocument }) => last._id.equals(fullDocument?._id))) changes.push(await stream.next());
  await stream.close();
  return changes;
}

/** Does everything that can happen to events in an outbox. Returns the inserted events. */
async function useOutbox(): Promise<readonly [OutboxEvent, OutboxEvent, OutboxEvent]> {
  const event = () => upsertEvent({ nodes: [{ label: 'Secret', key: { id: secret } }], relationships: [] });
  const [plain, inTransaction, last] = [event(), event(), event()];
  await outbox().insertOne(plain);
  await database.client.withSession((session) =>
    session.withTransaction(() => outbox().insertOne(inTransaction, { session })),
  );
  await acknowledgeEvents(outbox(), [plain._id.toHexString(), inTransaction._id.toHexString()]);
  await outbox().updateOne({ _id: inTransaction._id }, { $inc: { attempts: 1 } });
  await outbox().replaceOne({ _id: inTransaction._id }, { ...inTransaction, position: plain.position });
  await outbox().deleteOne({ _id: plain._id });
  await outbox().insertOne(last);
  return [plain, inTransaction, last];
}

it('the trigger gets every insert once, nothing else, and only the pointer of an event', async () => {
  const [projected, whole] = [await watch(triggerPipeline(atlasTrigger)), await watch([])];
  const events = await useOutbox();
  const changes = await readUntil(projected, events[2]);
  expect(changes).toStrictEqual(
    events.map(({ _id, aggregateType, aggregateId }) => ({
      _id: { _data: expect.stringMatching(/^[0-9A-F]+$/) },
      operationType: 'insert',
      fullDocument: { _id, aggregateType, aggregateId },
    })),
  );
  expect(EJSON.stringify(changes)).not.toContain(secret);
  // Without the trigger's match and projection, the stream has the rest.
  const unfiltered = await readUntil(whole, events[2]);
  expect(new Set(unfiltered.map(({ operationType }) => operationType))).toStrictEqual(
    new Set(['insert', 'update', 'replace', 'delete']),
  );
  expect(EJSON.stringify(unfiltered)).toContain(secret);
});

it('the consumer reads the pointer that the trigger sends, in plain and in Extended JSON', async () => {
  const stream = await watch(triggerPipeline(atlasTrigger));
  const event = upsertEvent({ nodes: [], relationships: [] });
  await outbox().insertOne(event);
  const [change = expect.fail('nothing came')] = await readUntil(stream, event);
  const read = atlasDetails(change).map((detail) =>
    readPointers(JSON.stringify(atlasEnvelope(database.db.databaseName, detail, event.createdAt))),
  );
  const expected = { outcome: 'read', eventIds: [event._id.toHexString()] };
  expect(read).toStrictEqual([expected, expected]);
});
