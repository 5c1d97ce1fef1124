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
/** Reads until `count` inserts have arrived. Returns their ids and the last token. */
async function readInserts(tail: Tail<ResumeToken>, count: number) {
  const ids: string[] = [];
  let resumeToken: ResumeToken | null = null;
  while (ids.length < count) {
    const batch = await tail.next();
    ids.push(...batch.pointers.map((pointer) => pointer.eventId));
    resumeToken = batch.resumeToken;
  }
  if (resumeToken === null) throw new Error('The tail has returned no token.');
  return { ids, resumeToken };
}

describe('the tail of the outbox', () => {
  it('returns every insert in order, and continues from a token without a gap', async () => {
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

  it('returns a new token even if nothing was inserted', async () => {
    const tail = tailOutbox(outbox(), { after: await readClusterTime(database.client, outbox()) });
    let first = await tail.next();
    while (first.pointers.length > 0) first = await tail.next();
    await database.db.collection('elsewhere').insertOne({});
    const second = await tail.next();
    await tail.close();
    expect(second.pointers).toStrictEqual([]);
    expect(second.resumeToken).not.toStrictEqual(first.resumeToken);
  });

  it('returns a single event at once, and events within its linger time together', async () => {
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

  it('returns an event of the largest size that MongoDB stores, and survives changes of such events', async () => {
    const start = { after: await readClusterTime(database.client, outbox()) };
    const tail = tailOutbox(outbox(), start);
    const empty = upsertEvent({ nodes: [], text: '' });
    const textBytes = maxDocumentBytes - BSON.calculateObjectSize(empty);
    const largest = { ...empty, payload: { nodes: [], text: 'x'.repeat(textBytes) } };
    const after = outboxEvent();
    // The validator reserves space for the event's settlement, so it is bypassed.
    await outbox().insertOne(largest, { bypassDocumentValidation: true });
    await outbox().updateOne({ _id: largest._id }, { $set: { 'payload.text': 'y'.repeat(textBytes) } });
    await outbox().insertOne(after);
    const { ids } = await readInserts(tail, 2);
    await tail.close();
    expect(ids).toStrictEqual([largest._id.toHexString(), after._id.toHexString()]);
  });

  it('reports lost history if the server does not know the token', async () => {
    const tail = tailOutbox(outbox(), { resumeToken: { _data: '82' } });
    await expect(tail.next()).rejects.toMatchObject({
      code: expect.stringMatching(/history-lost|mongodb-unavailable/),
    });
    await tail.close();
  });

  it('reports lost history if the collection was dropped and created again', async () => {
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

  it('returns available inserts without waiting, and a token as soon as there is one', async () => {
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

  it('has one owner until it is released', async () => {
    const first = await request(id, 'a');
    expect(await request(id, 'b')).toBeNull();
    if (first === null) throw new Error('no lease');
    await saveCheckpoint(checkpoints(), first, 60, token('1'));
    await releaseLease(checkpoints(), first);
    expect(await request(id, 'b')).toMatchObject({ fence: first.fence + 1, progress: token('1') });
  });

  it('goes to another owner once expired, and the late one can no longer move the checkpoint', async () => {
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
  ])('gives the next owner all of the progress: %s', async (_, progress) => {
    const key = new ObjectId().toHexString();
    const first = await request(key, 'a');
    if (first === null) throw new Error('no lease');
    expect(first.progress).toBeNull();
    // Overwrites other progress, of which nothing may remain.
    const before = { tail: { after: position }, backlog: { until: position, after: position } };
    await saveCheckpoint(checkpoints(), first, 60, before);
    await saveCheckpoint(checkpoints(), first, -1, progress);
    expect(await request(key, 'b')).toMatchObject({ progress });
  });

  it('records when it was acquired and when progress was saved', async () => {
    const key = new ObjectId().toHexString();
    const readUpdatedAt = async () => (await checkpoints().findOne({ _id: key }))?.updatedAt?.getTime() ?? 0;
    const lease = await request(key, 'a');
    const acquiredAt = await readUpdatedAt();
    const { localTime } = await database.db.command({ hello: 1 });
    expect(Math.abs(localTime.getTime() - acquiredAt)).toBeLessThan(10_000);
    if (lease === null) throw new Error('no lease');
    const save = () => saveCheckpoint(checkpoints(), lease, 60, token('1'));
    await waitUntil(async () => ((await save()) && (await readUpdatedAt()) > acquiredAt) || undefined, {
      timeoutSeconds: 10,
      pollMillis: 1,
      what: 'the recorded time to advance',
    });
  });

  it('goes to exactly one of many concurrent requests', async () => {
    const key = new ObjectId().toHexString();
    const leases = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        acquireLease(checkpoints(), { id: key, owner: `${index}`, leaseSeconds: 60 }),
      ),
    );
    expect(leases.filter((lease) => lease !== null)).toHaveLength(1);
  });
});
