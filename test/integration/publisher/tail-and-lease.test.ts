import { BSON, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { acquireLease, type Checkpoint, releaseLease, saveCheckpoint } from '../../../lib/mongodb/publisher-lease.ts';
import { readClusterTime, scanPending } from '../../../lib/mongodb/scan-pending.ts';
import { checkpointCollection, setUpOutbox } from '../../../lib/mongodb/set-up-outbox.ts';
import { type OutboxTail, tailOutbox } from '../../../lib/mongodb/tail-outbox.ts';
import { outboxEvent, upsertEvent } from '../../outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';

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
async function readInserts(tail: OutboxTail, count: number) {
  const ids: string[] = [];
  let resumeToken = {};
  while (ids.length < count) {
    const batch = await tail.next();
    ids.push(...batch.pointers.map((pointer) => pointer.eventId));
    resumeToken = batch.resumeToken;
  }
  return { ids, resumeToken };
}

describe('the tail of the outbox', () => {
  it('brings every insert in its order, and goes on from a token without a gap', async () => {
    const start = { clusterTime: await readClusterTime(database.client, outbox()) };
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
    const tail = tailOutbox(outbox(), { clusterTime: await readClusterTime(database.client, outbox()) });
    let first = await tail.next();
    while (first.pointers.length > 0) first = await tail.next();
    await database.db.collection('elsewhere').insertOne({});
    const second = await tail.next();
    await tail.close();
    expect(second.pointers).toStrictEqual([]);
    expect(second.resumeToken).not.toStrictEqual(first.resumeToken);
  });

  it('brings an event of the largest size that MongoDB stores, and changes of such events do not stop it', async () => {
    const start = { clusterTime: await readClusterTime(database.client, outbox()) };
    const tail = tailOutbox(outbox(), start);
    const empty = upsertEvent({ nodes: [], text: '' });
    const room = maxDocumentBytes - BSON.calculateObjectSize(empty);
    const largest = { ...empty, payload: { nodes: [], text: 'x'.repeat(room) } };
    const after = outboxEvent();
    await outbox().insertOne(largest);
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
      const tail = tailOutbox(collection, { clusterTime: await readClusterTime(other.client, collection) });
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

  it('is complemented by the scan, which brings all that is pending in the order of positions', async () => {
    const found: string[] = [];
    for await (const chunk of scanPending(
      database.client,
      outbox(),
      await readClusterTime(database.client, outbox()),
      2,
    )) {
      expect(chunk.length).toBeLessThanOrEqual(2);
      found.push(...chunk.map((pointer) => pointer.eventId));
    }
    const pending = await outbox().find({ status: 'pending' }).sort({ position: 1 }).toArray();
    expect(found).toStrictEqual(pending.map((one) => String(one._id)));
  });
});

describe('the lease', () => {
  const id = new ObjectId().toHexString();

  it('is held by one, until it is given back', async () => {
    const first = await acquireLease(checkpoints(), { id, owner: 'a', leaseSeconds: 60 });
    expect(await acquireLease(checkpoints(), { id, owner: 'b', leaseSeconds: 60 })).toBeNull();
    if (first === null) throw new Error('no lease');
    await saveCheckpoint(checkpoints(), first, 60, { _data: 'token' });
    await releaseLease(checkpoints(), first);
    expect(await acquireLease(checkpoints(), { id, owner: 'b', leaseSeconds: 60 })).toMatchObject({
      fence: first.fence + 1,
      resumeToken: { _data: 'token' },
    });
  });

  it('goes to another when it has expired, and the late one can no longer move the checkpoint', async () => {
    const key = new ObjectId().toHexString();
    const late = await acquireLease(checkpoints(), { id: key, owner: 'a', leaseSeconds: -1 });
    const next = await acquireLease(checkpoints(), { id: key, owner: 'b', leaseSeconds: 60 });
    if (late === null || next === null) throw new Error('no lease');
    expect(await saveCheckpoint(checkpoints(), next, 60, { _data: 'new' })).toBe(true);
    expect(await saveCheckpoint(checkpoints(), late, 60, { _data: 'old' })).toBe(false);
    expect(await checkpoints().findOne({ _id: key })).toMatchObject({ owner: 'b', resumeToken: { _data: 'new' } });
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
