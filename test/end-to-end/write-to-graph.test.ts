/**
 * On the deployed functions: committed writes reach the graph, and a bad event dies without
 * delaying its neighbours.
 */
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Double, Long, ObjectId } from 'mongodb';
import { afterAll, describe, expect, it } from 'vitest';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { memoryEvent } from '../../xmem/aggregates/memory-event.ts';
import { stack } from '../support/stack.ts';
import { closeClients, db, graphEvent, mongodb, outbox, query, untilSettled } from '../support/wait-for.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const queue = new SQSClient(aws);
const bus = new EventBridgeClient(aws);
afterAll(async () => {
  queue.destroy();
  bus.destroy();
  await closeClients();
});

const unique = () => new ObjectId().toHexString();
const file = (id: string, properties: object = {}) => ({
  nodes: [{ label: 'E2eFile', key: { id }, properties }],
  relationships: [],
});
const sendPointer = (event: { _id: ObjectId; aggregateId?: string }) =>
  queue.send(
    new SendMessageCommand({
      QueueUrl: stack.queueUrl,
      MessageBody: JSON.stringify({
        eventId: event._id.toHexString(),
        aggregateType: 'graph',
        aggregateId: event.aggregateId ?? 'x',
      }),
    }),
  );

describe('a committed event', () => {
  it('appears in the graph with exact values and types', async () => {
    const id = unique();
    const date = new Date('2024-02-29T12:34:56.789Z');
    const event = graphEvent(
      id,
      file(id, {
        big: Long.fromString('9007199254740993'),
        real: new Double(1),
        text: 'é',
        date,
        list: [1, 2],
        none: null,
      }),
    );
    await outbox.insertOne(event);
    expect(await untilSettled([event._id])).toMatchObject([{ status: 'processed', processedAt: expect.any(Date) }]);
    const [row] = await query(
      `MATCH (n:E2eFile {id: $id})
       RETURN n.big AS big, valueType(n.big) AS bigType, valueType(n.real) AS realType, n.text AS text,
         toString(n.date) AS date, n.list AS list, n.none IS NULL AS none`,
      { id },
    );
    expect(row).toStrictEqual({
      big: 9007199254740993n,
      bigType: 'INTEGER NOT NULL',
      realType: 'FLOAT NOT NULL',
      text: 'é',
      date: '2024-02-29T12:34:56.789Z',
      list: [1n, 2n],
      none: true,
    });
  });

  it('of a tracked document carries its changes and its deletion', async () => {
    const events = trackCollection(mongodb, db, memoryEvent);
    const user_id = unique();
    const _id = new ObjectId();
    const dates = async () =>
      (await query('MATCH (:User {user_id: $user_id})-[:HAS_EVENT]->(d:Date) RETURN d.date AS date', { user_id })).map(
        (row) => row.date,
      );
    const settled = async () =>
      untilSettled((await outbox.find({ aggregateId: String(_id) }).toArray()).map((event) => event._id));
    await events.insertOne({ _id, user_id, date: '12-10', year: 2024 });
    await settled();
    expect(await dates()).toStrictEqual(['12-10']);
    await events.updateOne({ _id }, { $set: { date: '12-11' } });
    await settled();
    expect(await dates()).toStrictEqual(['12-11']);
    await events.deleteOne({ _id });
    await settled();
    expect(await query('MATCH (u:User {user_id: $user_id}) RETURN u', { user_id })).toStrictEqual([]);
  });

  it('does not exist if its transaction is aborted', async () => {
    const id = unique();
    await mongodb.withSession(async (session) => {
      session.startTransaction();
      await outbox.insertOne(graphEvent(id, file(id)), { session });
      await session.abortTransaction();
    });
    expect(await outbox.countDocuments({ aggregateId: id })).toBe(0);
  });
});

describe('pointers', () => {
  it('leave the newest state even if they arrive twice and out of order', async () => {
    const id = unique();
    const events = [1, 2, 3].map((version) => graphEvent(id, file(id, { version })));
    for (const event of events) await outbox.insertOne(event);
    for (const event of [...events].reverse()) await sendPointer(event);
    for (const event of events) await sendPointer(event);
    const settled = await untilSettled(events.map((event) => event._id));
    expect(settled.map((event) => event.status)).toStrictEqual(['processed', 'processed', 'processed']);
    expect(await query('MATCH (n:E2eFile {id: $id}) RETURN n.version AS version', { id })).toStrictEqual([
      { version: 3n },
    ]);
  });

  it('of an Atlas Trigger work both as plain and as Extended JSON', async () => {
    const events = [unique(), unique()].map((id) => graphEvent(id, file(id)));
    await outbox.insertMany(events);
    const [plain, extended] = events.map((event) => event._id.toHexString());
    for (const _id of [plain, { $oid: extended }]) {
      const body = {
        source: 'aws.partner/mongodb.com/stitch.trigger/1',
        detail: { operationType: 'insert', fullDocument: { _id } },
      };
      await queue.send(new SendMessageCommand({ QueueUrl: stack.queueUrl, MessageBody: JSON.stringify(body) }));
    }
    expect((await untilSettled(events.map((event) => event._id))).map((event) => event.status)).toStrictEqual([
      'processed',
      'processed',
    ]);
  });

  it('on the bus reach the consumer through the rule, and one without an event is settled', async () => {
    const detail = { eventId: new ObjectId().toHexString(), aggregateType: 'graph', aggregateId: 'gone' };
    const entry = {
      EventBusName: stack.eventBusName,
      Source: 'outgraph',
      DetailType: 'graph',
      Detail: JSON.stringify(detail),
    };
    expect(await bus.send(new PutEventsCommand({ Entries: [entry] }))).toMatchObject({ FailedEntryCount: 0 });
    const remaining = await waitUntil(
      async () => {
        const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
        const { Attributes } = await queue.send(
          new GetQueueAttributesCommand({ QueueUrl: stack.queueUrl, AttributeNames: [...names] }),
        );
        return names.every((name) => Attributes?.[name] === '0') ? 0 : undefined;
      },
      { timeoutSeconds: 120, pollMillis: 100, what: 'the queue to be empty' },
    );
    expect(remaining).toBe(0);
  });
});

describe('a late upsert after a deletion', () => {
  it('does not bring the node back', async () => {
    const id = unique();
    const [first, second, last] = [
      graphEvent(id, file(id)),
      graphEvent(id, file(id, { late: true })),
      graphEvent(id, null),
    ];
    await outbox.insertOne(first);
    await untilSettled([first._id]);
    // Dead at first, so that the deletion overtakes it; then redriven by hand.
    await outbox.insertOne({
      ...second,
      status: 'dead',
      deadAt: new Date(),
      error: { code: 'test', message: 'held back' },
    });
    await outbox.insertOne(last);
    await untilSettled([last._id]);
    await outbox.updateOne({ _id: second._id }, { $set: { status: 'pending' }, $unset: { deadAt: '', error: '' } });
    await sendPointer(second);
    expect(await untilSettled([second._id])).toMatchObject([{ status: 'processed' }]);
    expect(await query('MATCH (n:E2eFile {id: $id}) RETURN n', { id })).toStrictEqual([]);
  });
});

describe('a bad event among good ones', () => {
  it('is dead with a code and a path, and its neighbours are applied', async () => {
    const ids = Array.from({ length: 7 }, unique);
    const [a = '', b = '', c = '', d = '', e = '', f = '', g = ''] = ids;
    const events = [
      graphEvent(a, file(a)),
      graphEvent(b, {}, { aggregateType: 'no-such-type' }),
      graphEvent(c, file(c)),
      graphEvent(d, file(d, { address: { street: 'x' } })),
      graphEvent(e, { nodes: [{ label: 'OutgraphAggregate', key: { id: e } }], relationships: [] }),
      graphEvent(f, { nodes: [{ label: 'E2eFile', key: { id: f.repeat(500) } }], relationships: [] }),
      graphEvent(g, file(g)),
    ];
    await outbox.insertMany(events);
    const settled = await untilSettled(events.map((event) => event._id));
    const outcome = new Map(settled.map((event) => [event.aggregateId, event.error ?? event.status]));
    expect(outcome).toMatchObject(
      new Map<string, unknown>([
        [a, 'processed'],
        [b, { code: 'aggregate-type-unknown', message: expect.stringContaining('aggregateType') }],
        [c, 'processed'],
        [d, { code: 'value-unsupported', message: expect.stringContaining('nodes[0].properties.address') }],
        [e, { code: 'name-invalid', message: expect.stringContaining('nodes[0].label') }],
        [f, { code: 'key-too-large', message: expect.any(String) }],
        [g, 'processed'],
      ]),
    );
    expect(await query('MATCH (n:E2eFile) WHERE n.id IN $ids RETURN n.id AS id', { ids })).toHaveLength(3);
  });
});
