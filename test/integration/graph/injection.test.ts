/**
 * Nothing that a writer sends is ever executed: it is stored in the graph as data, the outbox
 * refuses it, or its event is dead with a code. Attempts take the whole path of the consumer,
 * through real MongoDB and Neo4j. For more of them, run `OUTGRAPH_ATTEMPTS=20000 npx vitest run
 * --project convergence`.
 */
import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import fc from 'fast-check';
import { type Document, MongoServerError, ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { consumeLog } from '../../../lib/consumer/log.ts';
import { fetchEvents } from '../../../lib/consumer/mongodb-fetch-events.ts';
import { type Consumer, joinConsumer, noQueue } from '../../../lib/consumer/wiring.ts';
import { dataFaultCodes } from '../../../lib/contract/fault.ts';
import { aggregateKey, type OutboxEvent, outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { projectOutboxEvent } from '../../../lib/projection/project.ts';
import { consumerSettings, readSettings } from '../../../lib/runtime/settings.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { expectedGraph } from '../../../lib/testing/expected-graph.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { type Attempt, labelsOf, randomAttempt, randomBody, type Target } from '../../convergence/injection.ts';
import { readChunks } from '../../support/chunks.ts';
import { clearGraph } from '../../support/clear-graph.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { readGraph } from '../../support/model/read-graph.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const totalAttempts = Number(process.env.OUTGRAPH_ATTEMPTS);
const attemptsAtOnce = 50;

const suffix = `I${randomBytes(4).toString('hex')}`;
const target: Target = { suffix, mark: `Pwned${suffix}`, sentinel: `Sentinel${suffix}` };
const keyNames = Object.fromEntries(labelsOf(target));

let database: TestDatabase;
let driver: Driver;
let consumer: Consumer;
beforeAll(async () => {
  database = await createTestDatabase();
  driver = connectGraph(servers);
  await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  consumer = joinConsumer(readSettings(consumerSettings, database.settings), catalog, noQueue);
  await driver.executeQuery(`CREATE (:${target.sentinel} {id: 1})-[:STAYS]->(:${target.sentinel} {id: 2})`);
  await database.db.collection('people').insertOne({ name: 'Ada', status: 'pending' });
});
afterAll(async () => {
  await consumer.close();
  await clear();
  await clearGraph(driver, [target.sentinel], `graph:${suffix}`);
  await driver.close();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);
const clear = async () => {
  await clearGraph(driver, Object.keys(keyNames), `graph:${suffix}`);
  await driver.executeQuery('MATCH (a:OutgraphAggregate) WHERE a.key CONTAINS $suffix DELETE a', { suffix });
};

/**
 * Inserts the events. Returns the ids of those that the outbox accepted; its validator refuses the
 * others, or the driver does because BSON cannot represent them.
 */
async function insert(attempts: readonly Attempt[]): Promise<readonly string[]> {
  const inserted = attempts.map(async ({ event }) => {
    try {
      await outbox().insertOne(event);
      return [event._id.toHexString()];
    } catch (error) {
      const refused = error instanceof MongoServerError ? error.code === 121 : /null bytes/.test(String(error));
      if (!refused) throw error;
      return [];
    }
  });
  return (await Promise.all(inserted)).flat();
}

/** Consumes a batch. Returns the lines that it logs. */
async function consume(
  bodies: readonly string[],
): Promise<{ readonly lines: readonly string[]; readonly unreadable: number }> {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0),
  );
  const messages = bodies.map((body, index) => ({ messageId: `m${index}`, body, receiveCount: 1, receiptHandle: '' }));
  const report = await consumer
    .consume(messages, () => 60_000, consumeLog(new Logger()))
    .finally(() => spies.map((spy) => spy.mockRestore()));
  expect(report.failedMessageIds).toStrictEqual([]);
  return {
    lines: written
      .join('')
      .split('\n')
      .filter((line) => line !== ''),
    unreadable: report.unreadable,
  };
}

/** Every text that occurs as a value somewhere within. */
function textsWithin(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof ObjectId || value instanceof Date || typeof value !== 'object' || value === null) return [];
  return [...(value instanceof Map ? value.values() : Object.values(value))].flatMap(textsWithin);
}

async function namesInGraph(): Promise<readonly string[]> {
  const all = [
    'db.labels() YIELD label AS name',
    'db.relationshipTypes() YIELD relationshipType AS name',
    'db.propertyKeys() YIELD propertyKey AS name',
  ];
  const results = await Promise.all(all.map((call) => driver.executeQuery(`CALL ${call} RETURN name`)));
  return results.flatMap(({ records }) => records.map((record) => String(record.get('name'))));
}

async function sentinels(): Promise<unknown> {
  const { records } = await driver.executeQuery(
    `MATCH (n:${target.sentinel})-[r]->(m)
     RETURN labels(n) AS labels, properties(n) AS own, type(r) AS type, properties(m) AS others`,
  );
  const people = await database.db
    .collection('people')
    .find({}, { projection: { _id: 0 } })
    .toArray();
  return [records.map((record) => record.toObject()), people];
}

const untouched = [
  [{ labels: [target.sentinel], own: { id: 1n }, type: 'STAYS', others: { id: 2n } }],
  [{ name: 'Ada', status: 'pending' }],
];

it('anything a writer sends is stored as data, refused, or dead with a code, and nothing else changes', {
  timeout: 300_000,
}, async () => {
  const count = { processed: 0, dead: 0, refused: 0, unreadable: 0 };
  const codes = new Set<string>();
  const check = async (attempts: readonly Attempt[], bodies: readonly string[]) => {
    await clear();
    const ids = await insert(attempts);
    const before = new Map<string, OutboxEvent>();
    for (const item of await readChunks(fetchEvents(outbox(), ids)))
      if (item.status === 'pending') before.set(item.event.eventId, item.event);

    const { lines, unreadable } = await consume([...attempts.map(({ body }) => body), ...bodies]);

    const after = await outbox()
      .find({ _id: { $in: ids.map(ObjectId.createFromHexString) } })
      .toArray();
    const dead = after.filter(({ status }) => status === 'dead');
    const processed = after.filter(({ status }) => status === 'processed');
    expect(dead.length + processed.length).toBe(ids.length);
    for (const { error } of dead) {
      expect(dataFaultCodes).toContain(error.code);
      expect(error.message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }

    const events = processed.map((document) => before.get(document._id.toHexString()) as OutboxEvent);
    const model = events.map((event) => ({
      key: aggregateKey(event),
      position: event.position,
      subgraph: projectOutboxEvent(catalog, event),
    }));
    const sent = new Map(attempts.map(({ event }) => [event._id.toHexString(), event]));
    for (const [index, { eventId }] of events.entries()) {
      const kept = textsWithin(model[index]?.subgraph);
      const { payload } = sent.get(eventId) as Document;
      expect(kept).toStrictEqual(expect.arrayContaining([...textsWithin(payload)]));
    }
    expect(await readGraph(driver, 'neo4j', keyNames)).toStrictEqual(expectedGraph(model));
    const { records } = await driver.executeQuery(
      'MATCH (a:OutgraphAggregate) WHERE a.key CONTAINS $suffix RETURN a.key AS key',
      { suffix },
    );
    expect(records.map((record) => record.get('key')).sort()).toStrictEqual(model.map(({ key }) => key).sort());

    expect((await namesInGraph()).filter((name) => name.includes(target.mark))).toStrictEqual([]);
    expect(await sentinels()).toStrictEqual(untouched);
    expect(lines.length).toBe(dead.length + unreadable);
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ level: 'ERROR' });
      expect(line).not.toContain(target.mark);
    }
    count.processed += processed.length;
    count.dead += dead.length;
    count.refused += attempts.length - ids.length;
    count.unreadable += unreadable;
    for (const { error } of dead) codes.add(error.code);
  };

  const batch = fc.array(randomAttempt(target), { minLength: attemptsAtOnce, maxLength: attemptsAtOnce, size: 'max' });
  const bodies = fc.array(randomBody(target), { minLength: 6, maxLength: 6 });
  await fc.assert(fc.asyncProperty(batch, bodies, check), {
    numRuns: Math.ceil(totalAttempts / attemptsAtOnce),
    endOnFailure: true,
    ...(process.env.OUTGRAPH_SEED === undefined ? {} : { seed: Number(process.env.OUTGRAPH_SEED) }),
  });
  // Every kind of outcome occurs often enough.
  expect(Math.min(...Object.values(count))).toBeGreaterThan(totalAttempts / 20);
  expect([...codes]).toStrictEqual(
    expect.arrayContaining(['name-invalid', 'value-unsupported', 'subgraph-invalid', 'key-invalid']),
  );
});
