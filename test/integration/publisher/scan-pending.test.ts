import { Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { readClusterTime } from '../../../lib/outbox/mongodb-clock.ts';
import { scanPending } from '../../../lib/publisher/mongodb-backlog.ts';
import type { Backlog, BacklogChunk } from '../../../lib/publisher/progress.ts';
import { outboxEvent } from '../../support/outbox-event.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);

describe('the scan of pending events', () => {
  /** Reads all chunks of a backlog. */
  async function scan({ client, db }: TestDatabase, limit: number): Promise<string[][]> {
    const chunks: string[][] = [];
    const collection = db.collection(outboxCollection);
    let rest: Backlog | null = { until: await readClusterTime(client, collection), after: null };
    while (rest !== null) {
      const chunk: BacklogChunk = await scanPending(client, collection, rest, limit);
      chunks.push(chunk.pointers.map(({ eventId }) => eventId));
      rest = chunk.rest;
    }
    return chunks;
  }

  it('returns all pending events in the order of positions, chunk by chunk', async () => {
    await outbox().insertMany([outboxEvent(), outboxEvent(), outboxEvent()]);
    const chunks = await scan(database, 2);
    const pending = await outbox().find({ status: 'pending' }).sort({ position: 1 }).toArray();
    expect(chunks.flat()).toStrictEqual(pending.map((one) => String(one._id)));
    expect(chunks.every((chunk) => chunk.length <= 2)).toBe(true);
  });

  it('does not split events with the same position, as two shards can have', async () => {
    const other = await createTestDatabase();
    try {
      const collection = other.db.collection(outboxCollection);
      const at = (seconds: number) => outboxEvent({ position: new Timestamp({ t: seconds, i: 1 }) });
      const events = [at(100), at(200), at(200), at(200), at(200), at(300)];
      await collection.insertMany(events);
      const chunks = await scan(other, 2);
      expect(chunks.map((chunk) => chunk.length)).toStrictEqual([1, 4, 1]);
      expect(chunks.flat().sort()).toStrictEqual(events.map(({ _id }) => _id.toHexString()).sort());
    } finally {
      await other.drop();
    }
  });

  it('reads one index entry per event, anywhere in the backlog', async () => {
    const other = await createTestDatabase();
    try {
      const collection = other.db.collection(outboxCollection);
      await collection.insertMany(Array.from({ length: 100 }, () => outboxEvent()));
      await other.db.command({ profile: 2 });
      const chunks = await scan(other, 10);
      await other.db.command({ profile: 0 });
      const queries = await other.db
        .collection('system.profile')
        .find({ op: 'query', 'command.hint': 'outgraph_pending' })
        .toArray();
      expect(queries).toHaveLength(chunks.length);
      for (const { planSummary, keysExamined, docsExamined, nreturned, hasSortStage } of queries) {
        expect(planSummary).toBe('IXSCAN { status: 1, position: 1, nextAttemptAt: 1 }');
        expect(keysExamined).toBeLessThanOrEqual(nreturned + 1);
        expect({ docsExamined, hasSortStage }).toStrictEqual({ docsExamined: nreturned, hasSortStage: undefined });
      }
    } finally {
      await other.drop();
    }
  });
});
