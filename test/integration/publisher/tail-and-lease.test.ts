import { BSON, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import { checkpointCollection } from '../../../lib/outbox/collections.ts';
import { readClusterTime } from '../../../lib/outbox/mongodb-clock.ts';
import { tailOutbox } from '../../../lib/publisher/mongodb-change-stream.ts';
import {
  acquireLease,
  type Checkpoint,
  type ResumeToken,
  releaseLease,
  saveCheckpoint,
} from '../../../lib/publisher/mongodb-lease.ts';
import type { Tail } from '../../../lib/publisher/ports.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-BSON-Document-Size */
const maxDocumentBytes = 16 * 1024 * 1024;

const outbox = () => database.db.collection(outboxCollection);
const checkpoints = () => database.db.collection<Checkpoint>(checkpointCollection);
/** Reads on until so many inserts have come; returns their ids and the last token. */
async function readInserts(tail: Tail<ResumeToken>, count: number) {
  const ids: string[] = [];
  let resumeToken: ResumeToken | null = null;
  while (ids.length < count) {
    const batch = await tail.next();
    ids.push(...batch.pointers.map((pointer) => pointer.eventId));
    resumeToken = batch.resumeToken;
  }
  if (resumeToken === null) throw new Error('The tail has told no token.');
  return { ids, resumeToken };
}

describe('the tail of the outbox', () => {
  it('brings every insert in its order, and goes on from a token without a gap', async () => {
    const start = { after: await readClusterTime(database.client, outbox()) };
    const events = Array.from({ length: 5 }, () => outboxEvent());
    const first = tailOutbox(outbox(), start);
    for (const one of events.slice(0, 3)) await outbox().insertOne(one);
    const before = await readInserts(first, 3);
    await first.close();
    for (const one of events.slice(3)) await outbox().insertOne(one);
    const second = tailOutbox(outbox(), { resumeToken: before.resumeToken });
    const after = await readInserts(second, 2);
    await second.close();
    expect([...before.ids, ...after.ids]).toStrictEqual(events.map((one) => one._id.toHexString()));
  });

  it('brings a new token also when nothing was inserted', async () => {
    const tail = tailOutbox(outbox(), { after: await readClusterTime(database.client, outbox()) });
    let first = await tail.next();
    while (first.pointers.length > 0) first = await tail.next();
    await database.db.collection('elsewhere').insertOne({});
    const second = await tail.next();
    await tail.close();
    expect(second.pointers).toStrictEqual([]);
    expect(second.resumeToken).not.toStrictEqual(first.resumeToken);
  });

  it('brings a single event alone, and together those that follow others within the time that it lingers', async () => {
    const lingerMillis = 60_000;
    const tail = tailOutbox(outbox(), { after: await readClusterTime(database.client, outbox()) }, { lingerMillis });
    const [first, second, third] = [outboxEvent(), outboxEvent(), outboxEvent()];
    const idsOfNext = async () => (await tail.next()).pointers.map(({ eventId }) => eventId);
    await outbox().insertOne(first);
    const alone = await idsOfNext();
    const next = idsOfNext();
    await outbox().insertOne(second);
    await outbox().insertOne(third);
    const together = await next;
    await tail.close();
    expect(alone).toStrictEqual([first._id.toHexString()]);
    expect(together).toStrictEqual([second, third].map(({ _id }) => _id.toHexString()));
  });

  it('brings an event of the largest size that MongoDB stores, and changes of such events do not stop it', async () => {
    const start = { after: await readClusterTime(database.client, outbox()) };
    const tail = tailOutbox(outbox(), start);
    const empty = upsertEvent({ nodes: [], text: '' });
    const room = maxDocumentBytes - BSON.calculateObjectSize(empty);
    const largest = { ...empty, payload: { nodes: [], text: 'x'.repeat(room) } };
    const after = outboxEvent();
    // The validator leaves room for the event's settlement.
    await outbox().insertOne(largest, { bypassDocumentValidation: true });
    await outbox().updateOne({ _id: largest._id }, { $set: { 'payload.text': 'y'.repeat(room) } });
    await outbox().insertOne(after);
    const { ids } = await readInserts(tail, 2);
    await tail.close();
    expect(ids).toStrictEqual([largest._id.toHexString(), after._id.toHexString()]);
  });

  it('says that history is lost when the server does not know the token', async () => {
    const tail = tailOutbox(outbox(), { resumeToken: { _data: '82' } });
    await expect(tail.next()).rejects.toMatchObject({
      code: expect.stringMatching(/history-lost|mongodb-unavailable/),
    });
    await tail.close();
  });

  it('says that history is lost when the collection was dropped and made again', async () => {
    const other = await createTestDatabase();
    try {
      const collection = other.db.collection(outboxCollection);
      const tail = tailOutbox(collection, { after: await readClusterTime(other.client, collection) });
      await collection.insertOne(outboxEvent());
      await readInserts(tail, 1);
      await collection.drop();
      await setUpOutbox(other.db, { processedRetentionSeconds: 3600 });
      const untilLost = async () => {
        for (let reads = 0; reads < 20; reads += 1) await tail.next();
      };
      await expect(untilLost()).rejects.toMatchObject({ code: 'history-lost' });
      await tail.close();
    } finally {
      await other.drop();
    }
  });

  it('brings what has come already when it is not waited for, and a token as soon as there is one', async () => {
    const tail = tailOutbox(outbox(), { after: await readClusterTime(database.client, outbox()) });
    expect(await tail.poll()).toStrictEqual({ pointers: [], resumeToken: null });
    const event = outboxEvent();
    await outbox().insertOne(event);
    const found = await waitUntil(
      async () => {
        const batch = await tail.poll();
        return batch.pointers.length > 0 ? batch : undefined;
      },
      { timeoutSeconds: 10, pollMillis: 5, what: 'the insert to come' },
    );
    await tail.close();
    expect(found.pointers.map(({ eventId }) => eventId)).toStrictEqual([event._id.toHexString()]);
    expect(found.resumeToken).not.toBeNull();
  });
});

describe('the lease', () => {
  const id = new ObjectId().toHexString();
  const position = toPosition({ t: 1_800_000_000, i: 7 });
  const token = (text: string) => ({ tail: { resumeToken: { _data: text } }, backlog: null });
  const request = (key: string, owner: string, leaseSeconds = 60) =>
    acquireLease(checkpoints(), { id: key, owner, leaseSeconds });

  it('is held by one, until it is given back', async () => {
    const first = await request(id, 'a');
    expect(await request(id, 'b')).toBeNull();
    if (first === null) throw new Error('no lease');
    await saveCheckpoint(checkpoints(), first, 60, token('1'));
    await releaseLease(checkpoints(), first);
    expect(await request(id, 'b')).toMatchObject({ fence: first.fence + 1, progress: token('1') });
  });

  it('goes to another when it has expired, and the late one can no longer move the checkpoint', async () => {
    const key = new ObjectId().toHexString();
    const late = await request(key, 'a', -1);
    const next = await request(key, 'b');
    if (late === null || next === null) throw new Error('no lease');
    expect(await saveCheckpoint(checkpoints(), next, 60, token('new'))).toBe(true);
    expect(await saveCheckpoint(checkpoints(), late, 60, token('old'))).toBe(false);
    expect(await checkpoints().findOne({ _id: key })).toMatchObject({ owner: 'b', resumeToken: { _data: 'new' } });
  });

  it.each([
    ['a tail without a token yet', { tail: { after: position }, backlog: { until: position, after: null } }],
    ['half a backlog', { tail: { resumeToken: { _data: '$x' } }, backlog: { until: position, after: position } }],
    ['a tail without a token and no backlog', { tail: { after: position }, backlog: null }],
    ['a tail alone', token('1')],
  ])('gives the next one all of the progress: %s', async (_, progress) => {
    const key = new ObjectId().toHexString();
    const first = await request(key, 'a');
    if (first === null) throw new Error('no lease');
    expect(first.progress).toBeNull();
    // Over another progress, of which nothing may stay.
    const before = { tail: { after: position }, backlog: { until: position, after: position } };
    await saveCheckpoint(checkpoints(), first, 60, before);
    await saveCheckpoint(checkpoints(), first, -1, progress);
    expect(await request(key, 'b')).toMatchObject({ progress });
  });

  it('says when it was taken, and when progress was saved', async () => {
    const key = new ObjectId().toHexString();
    const readUpdatedAt = async () => (await checkpoints().findOne({ _id: key }))?.updatedAt?.getTime() ?? 0;
    const lease = await request(key, 'a');
    const taken = await readUpdatedAt();
    const { localTime } = await database.db.command({ hello: 1 });
    expect(Math.abs(localTime.getTime() - taken)).toBeLessThan(10_000);
    if (lease === null) throw new Error('no lease');
    const save = () => saveCheckpoint(checkpoints(), lease, 60, token('1'));
    await waitUntil(async () => ((await save()) && (await readUpdatedAt()) > taken) || undefined, {
      timeoutSeconds: 10,
      pollMillis: 1,
      what: 'the time to move on',
    });
  });

  it('goes to exactly one of many who ask at once', async () => {
    const key = new ObjectId().toHexString();
    const asked = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        acquireLease(checkpoints(), { id: key, owner: `${index}`, leaseSeconds: 60 }),
      ),
    );
    expect(asked.filter((lease) => lease !== null)).toHaveLength(1);
  });
});
