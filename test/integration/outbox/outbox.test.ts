import { type Document, Int32, Long, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { fetchEvents } from '../../../lib/consumer/mongodb-fetch-events.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { checkOutbox, setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { unsettledAggregates } from '../../../lib/sweep/mongodb-unsettled-aggregates.ts';
import { readChunks } from '../../support/chunks.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);
const event = (fields: Document = {}) => upsertEvent({ nodes: [] }, fields);
const without = (field: string) => {
  const { [field]: _, ...rest } = event();
  return rest;
};

describe('the validator, with a plain driver', () => {
  it.each([
    ['an upsert', () => event()],
    ['a delete', () => ({ ...without('payload'), operation: 'delete' })],
    ['trace context', () => event({ traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' })],
    ['malformed trace context', () => event({ traceparent: 'not-a-trace' })],
    ['an id of 512 bytes', () => event({ aggregateId: 'é'.repeat(256) })],
  ])('accepts %s', async (_, make) => {
    await expect(outbox().insertOne(make())).resolves.toMatchObject({ acknowledged: true });
  });

  it.each<readonly [string, () => Document]>([
    ...['aggregateType', 'aggregateId', 'operation', 'payload', 'position', 'createdAt', 'status', 'attempts'].map(
      (field) => [`an event without ${field}`, () => without(field)] as const,
    ),
    ['an unknown field', () => event({ retries: 1 })],
    ['a delete with a payload', () => event({ operation: 'delete' })],
    ['an unknown operation', () => event({ operation: 'patch' })],
    ['a payload that is an array', () => event({ payload: [] })],
    ['an aggregate type in capitals', () => event({ aggregateType: 'Graph' })],
    ['an aggregate type of 65 characters', () => event({ aggregateType: 'a'.repeat(65) })],
    ['an empty id', () => event({ aggregateId: '' })],
    ['an id of 513 bytes', () => event({ aggregateId: `${'é'.repeat(256)}x` })],
    ['an id that is an objectId', () => event({ aggregateId: new ObjectId() })],
    ['a text _id', () => event({ _id: 'x' })],
    ['a position that is a date', () => event({ position: new Date() })],
    ['an int64 for attempts', () => event({ attempts: Long.fromNumber(1) })],
    ['processed without its time', () => event({ status: 'processed' })],
    ['dead without its reason', () => event({ status: 'dead', deadAt: new Date() })],
    ['pending with a reason', () => event({ error: { code: 'x', message: 'y' } })],
  ])('refuses %s', async (_, make) => {
    await expect(outbox().insertOne(make() as Document & { _id: ObjectId })).rejects.toMatchObject({ code: 121 });
  });

  it('aborts the transaction of an invalid event, so its document is not written either', async () => {
    const documents = database.db.collection('documents');
    const _id = new ObjectId();
    const attempt = database.client.withSession((session) =>
      session.withTransaction(async () => {
        await documents.insertOne({ _id }, { session });
        await outbox().insertOne(event({ status: 'done' }), { session });
      }),
    );
    await expect(attempt).rejects.toMatchObject({ code: 121 });
    expect(await documents.countDocuments({ _id })).toBe(0);
  });
});

describe('the outbox', () => {
  it('assigns unique positions in a transaction, in the order of the inserts', async () => {
    const events = [event(), event(), event()];
    await database.client.withSession((session) =>
      session.withTransaction(() => outbox().insertMany(events, { session })),
    );
    const fetched = await readChunks(
      fetchEvents(
        outbox(),
        events.map((one) => one._id.toHexString()),
      ),
    );
    const positions = events.map((one) => {
      const found = fetched.find((item) => item.status === 'pending' && item.event.eventId === one._id.toHexString());
      return found?.status === 'pending' ? found.event.position : '';
    });
    expect(new Set(positions).size).toBe(3);
    expect(positions).toStrictEqual([...positions].sort());
  });

  it('preserves int64, int32 and double on the way to the consumer', async () => {
    const one = event({ payload: { big: Long.fromString('9007199254740993'), small: new Int32(1), real: 1.5 } });
    await outbox().insertOne(one);
    const [found] = await readChunks(fetchEvents(outbox(), [one._id.toHexString()]));
    const payload = found?.status === 'pending' && found.event.operation === 'upsert' ? found.event.payload : {};
    expect(payload.big?._bsontype).toBe('Long');
    expect(String(payload.big)).toBe('9007199254740993');
    expect(payload.small?._bsontype).toBe('Int32');
    expect(payload.real?._bsontype).toBe('Double');
  });

  it('acknowledges only pending events', async () => {
    const [pending, dead] = [event(), event()];
    await outbox().insertMany([pending, dead]);
    await markDead(outbox(), [{ eventId: dead._id.toHexString(), code: 'payload-invalid', message: 'wrong' }]);
    expect(await acknowledgeEvents(outbox(), [pending._id.toHexString(), dead._id.toHexString()])).toBe(1);
    expect(await outbox().findOne({ _id: pending._id })).toMatchObject({
      status: 'processed',
      processedAt: expect.any(Date),
    });
    expect(await outbox().findOne({ _id: dead._id })).toMatchObject({
      status: 'dead',
      error: { code: 'payload-invalid', message: 'wrong' },
    });
  });

  it('names the aggregates that have a pending or dead event', async () => {
    const one = event();
    await outbox().insertOne(one);
    expect(await unsettledAggregates(outbox(), [`graph:${one.aggregateId}`, 'graph:never'])).toStrictEqual(
      new Set([`graph:${one.aggregateId}`]),
    );
  });

  it.each([
    ['pending events by position', { status: 'pending' }, { position: 1 }, 'outgraph_pending'],
    [
      'the unsettled events of an aggregate',
      { aggregateType: 'graph', aggregateId: 'a', status: { $in: ['pending', 'dead'] } },
      {},
      'outgraph_unsettled',
    ],
    [
      'the pending events of an aggregate',
      { aggregateType: 'graph', aggregateId: 'a', status: 'pending' },
      { position: -1 },
      'outgraph_unsettled',
    ],
    ['the event settled last', { processedAt: { $type: 'date' } }, { processedAt: -1 }, 'outgraph_purge'],
  ])('finds %s by index', async (_, filter, sort, index) => {
    const plan = await outbox()
      .find(filter as Document)
      .sort(sort as Record<string, 1 | -1>)
      .explain('queryPlanner');
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).toContain(`"${index}"`);
    expect(JSON.stringify(plan.queryPlanner.winningPlan)).not.toContain('"SORT"');
  });
});

describe('the set-up', () => {
  it('can run again with another retention', async () => {
    await setUpOutbox(database.db, { processedRetentionSeconds: 7200 });
    const purge = (await outbox().indexes()).find((index) => index.name === 'outgraph_purge');
    expect(purge?.expireAfterSeconds).toBe(7200);
    await expect(checkOutbox(database.db)).resolves.toBeUndefined();
  });

  it('is reported as missing in a database without it', async () => {
    await expect(checkOutbox(database.client.db(`${database.db.databaseName}_empty`))).rejects.toMatchObject({
      code: 'set-up-missing',
      message: expect.stringContaining('has no collection outbox'),
    });
  });
});

it('an index that an older set-up created with another key is recreated', async () => {
  const other = await createTestDatabase();
  try {
    const older = other.db.collection(outboxCollection);
    await older.dropIndex('outgraph_dead');
    await older.createIndex({ deadAt: 1 }, { name: 'outgraph_dead', partialFilterExpression: { status: 'dead' } });
    await setUpOutbox(other.db, { processedRetentionSeconds: 3600 });
    expect((await older.indexes()).find((index) => index.name === 'outgraph_dead')?.key).toStrictEqual({
      status: 1,
      deadAt: 1,
    });
  } finally {
    await other.drop();
  }
});
