/**
 * `outgraph dead discard` on a real outbox and graph: nothing is lost, whenever it ends and
 * whatever runs at the same time.
 */
import { type Document, Double, Long, ObjectId, Timestamp } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listDiscarded } from '../../../cli/dead/read-dead.ts';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import type { DataFaultCode } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { discardedCollection } from '../../../lib/outbox/collections.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { explainQueries } from '../../support/explain-queries.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { outgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { servers } from '../../support/servers.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  [database, small] = await Promise.all([createTestDatabase(), openSmallGraph()]);
});
beforeEach(async () => {
  await outbox().deleteMany({});
  await discarded().deleteMany({});
});
afterAll(async () => {
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);
const discarded = () => database.db.collection(discardedCollection);
const idsIn = async (collection: ReturnType<typeof outbox>, filter: Document = {}) =>
  (await collection.find(filter, { projection: { _id: 1 } }).toArray()).map(({ _id }) => String(_id)).sort();

async function deadEvents(code: DataFaultCode, fields: readonly Document[]): Promise<readonly string[]> {
  const events = fields.map((eventFields) => upsertEvent({ nodes: [] }, eventFields));
  await outbox().insertMany(events);
  const ids = events.map(({ _id }) => String(_id));
  await markDead(
    outbox(),
    ids.map((eventId) => ({ eventId, code, message: 'for a test' })),
  );
  return ids;
}

const deadEvent = async (code: DataFaultCode, fields: Document = {}) => (await deadEvents(code, [fields]))[0] ?? '';
const reason = ['--reason', 'for a test'];
/** The settings without the graph's address. */
const outboxAlone = () => {
  const { NEO4J_URI: _, ...settings } = database.settings;
  return settings;
};
const discard = (args: readonly string[]) => outgraph(['dead', 'discard', ...reason, ...args], outboxAlone());
const byId = (id: string) => ({ _id: new ObjectId(id) });

it.each<readonly [string, (ids: readonly string[]) => readonly string[], readonly number[]]>([
  ['all', () => ['--all'], [0, 1, 2]],
  ['those of a code', () => ['--code', 'payload-invalid'], [0, 1]],
  ['those of a type', () => ['--type', 'other'], [1, 2]],
  ['those of a code and a type', () => ['--code', 'payload-invalid', '--type', 'other'], [1]],
  ['those of two ids', (ids) => ['--id', ids[0] ?? '', '--id', ids[2] ?? ''], [0, 2]],
])('moves %s, whole, with the time and the reason', async (_, choose, expected) => {
  const payload = { exact: Long.fromString('9007199254740993'), real: new Double(1), nested: { list: [null, 'a'] } };
  const ids = [
    await deadEvent('payload-invalid', { payload, attempts: 3, nextAttemptAt: new Date(), traceparent: 'x' }),
    await deadEvent('payload-invalid', { aggregateType: 'other' }),
    await deadEvent('key-invalid', { aggregateType: 'other' }),
  ];
  const others = [
    outboxEvent({ aggregateType: 'other' }),
    outboxEvent({ status: 'processed', processedAt: new Date() }),
  ];
  await outbox().insertMany(others);
  const before = await outbox().find({}, exactTypes).sort({ _id: 1 }).toArray();
  const startedAt = new Date();
  expect(await discard(choose(ids))).toMatchObject({ outcome: 'done', discarded: expected.length });
  const chosen = new Set(expected.map((index) => ids[index]));
  const after = await outbox().find({}, exactTypes).sort({ _id: 1 }).toArray();
  expect(after).toStrictEqual(before.filter(({ _id }) => !chosen.has(String(_id))));
  const moved = await discarded().find({}, exactTypes).sort({ _id: 1 }).toArray();
  expect(moved.map(({ discardedAt: _at, reason: _reason, ...event }) => event)).toStrictEqual(
    before.filter(({ _id }) => chosen.has(String(_id))),
  );
  for (const event of moved) {
    expect(event.reason).toBe('for a test');
    // One machine, one clock.
    expect(event.discardedAt.getTime()).toBeGreaterThanOrEqual(startedAt.getTime());
  }
});

it('keeps the bytes of an event that the driver cannot write back as read, and can show it', async () => {
  const payload = new Map<string, unknown>([
    ['_bsontype', 'ObjectId'],
    ['b', 1],
    ['2', 'two'],
    ['1', 'one'],
  ]);
  const eventId = await deadEvent('payload-invalid', { payload, aggregateId: 'odd' });
  const raw = await outbox().findOne<Uint8Array>(byId(eventId), { raw: true });
  await discard(['--all']);
  expect(await discarded().findOne(byId(eventId))).toMatchObject({ aggregateId: 'odd', reason: 'for a test' });
  const kept = await discarded().findOne(byId(eventId));
  expect(Buffer.compare(kept?.bson.value(), raw as Uint8Array)).toBe(0);
  const { stdout } = await startOutgraph(['dead', 'show', eventId, '--payload', '--json'], outboxAlone()).ended;
  expect(JSON.parse(stdout)).toMatchObject({
    found: 'found',
    event: { aggregateId: 'odd', code: 'payload-invalid' },
    discarded: { reason: 'for a test' },
    payload: { _bsontype: 'ObjectId', b: 1, 1: 'one', 2: 'two' },
  });
});

it('does not touch an event that is not dead, even if given its id', async () => {
  const pending = outboxEvent();
  await outbox().insertOne(pending);
  expect(await discard(['--id', String(pending._id)])).toMatchObject({ discarded: 0 });
  expect(await idsIn(outbox())).toStrictEqual([String(pending._id)]);
  expect(await idsIn(discarded())).toStrictEqual([]);
});

describe('before it changes anything', () => {
  it('says what it will do, and changes nothing without a terminal', async () => {
    const ids = await deadEvents('payload-invalid', [{ aggregateId: 'left-behind' }, { aggregateId: 'overtaken' }]);
    await outbox().insertOne(outboxEvent({ aggregateId: 'overtaken' }));
    const before = await outbox().find({}, exactTypes).toArray();
    const { exitCode, stderr } = await startOutgraph(['dead', 'discard', '--all', ...reason], outboxAlone()).ended;
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`Moves ${ids.length} dead events from the outbox to outboxDiscarded permanently`);
    expect(stderr).toContain('no newer event is known of graph:left-behind: the graph stays behind its document');
    expect(stderr).toContain('NEO4J_URI is not set');
    expect(await outbox().find({}, exactTypes).toArray()).toStrictEqual(before);
    expect(await discarded().countDocuments()).toBe(0);
  });

  it('finds newer states in the graph whose events are purged', async () => {
    const name = 'known-to-the-graph';
    const key = `${small.graph.label}-${name}`;
    await deadEvents('payload-invalid', [{ aggregateId: key, position: new Timestamp({ t: 1, i: 1 }) }]);
    await small.apply([small.state(name, { nodes: [] })]);
    await small.apply([small.state(name, null)]);
    const { exitCode, stderr } = await startOutgraph(['dead', 'discard', '--all', ...reason], database.settings).ended;
    expect(exitCode).toBe(3);
    expect(stderr).not.toContain('WARNING');
    expect(stderr).not.toContain('was not queried');
  });

  it('says that the set-up is missing, and works after it', async () => {
    const eventId = await deadEvent('payload-invalid');
    await discarded().drop();
    const missing = await startOutgraph(['dead', 'discard', '--all', '--yes', ...reason], outboxAlone()).ended;
    expect({ exitCode: missing.exitCode, stderr: missing.stderr }).toStrictEqual({
      exitCode: 1,
      stderr: expect.stringMatching(
        /has no collection outboxDiscarded\. .* apply the set-up to this one \(npx outgraph set-up\)/,
      ),
    });
    expect(await idsIn(outbox(), { status: 'dead' })).toStrictEqual([eventId]);
    await setUpOutbox(database.db, { processedRetentionSeconds: 3_600 });
    expect(await discard(['--all'])).toMatchObject({ discarded: 1 });
  });

  it.each([
    ['no reason', ['--all'], '--reason'],
    ['an empty reason', ['--all', '--reason', ' '], 'must not be empty'],
    ['a reason that is too long', ['--all', '--reason', 'x'.repeat(501)], 'at most 500 characters'],
    ['no events chosen', reason, 'choose events'],
    ['all and some', ['--all', '--code', 'key-invalid', ...reason], 'choose events'],
  ])('wrong use exits 2 and says what is right: %s', async (_, args, text) => {
    const { exitCode, stderr } = await startOutgraph(['dead', 'discard', ...args], outboxAlone()).ended;
    expect({ exitCode, stderr }).toStrictEqual({ exitCode: 2, stderr: expect.stringContaining(text) });
  });
});

it('after each kill, every event is in exactly one of the collections, and the next run continues', async () => {
  const ids = [
    ...(await deadEvents(
      'payload-invalid',
      Array.from({ length: 60 }, () => ({})),
    )),
  ].sort();
  for (const minimum of [1, 10, 20]) {
    const run = startOutgraphProcess(['dead', 'discard', '--all', '--yes', '--rate', '20', ...reason], outboxAlone());
    await waitUntil(async () => ((await discarded().countDocuments()) >= minimum ? true : undefined), {
      timeoutSeconds: 60,
      pollMillis: 5,
      what: `${minimum} events to be discarded`,
    });
    run.kill();
    await run.ended;
    const [remaining, gone] = [await idsIn(outbox(), { status: 'dead' }), await idsIn(discarded())];
    expect(remaining.length).toBeGreaterThan(0);
    expect([...remaining, ...gone].sort()).toStrictEqual(ids);
  }
  await discard(['--all']);
  expect(await idsIn(outbox())).toStrictEqual([]);
  expect(await idsIn(discarded())).toStrictEqual(ids);
}, 120_000);

it('if interrupted, it reports how many were discarded and that the others are still dead', async () => {
  await deadEvents(
    'payload-invalid',
    Array.from({ length: 6 }, () => ({})),
  );
  const slow = startOutgraphProcess(
    ['dead', 'discard', '--all', '--yes', '--json', '--rate', '0.5', ...reason],
    outboxAlone(),
  );
  await waitUntil(async () => ((await discarded().countDocuments()) > 0 ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 20,
    what: 'the first event to be discarded',
  });
  slow.interrupt();
  const { exitCode, stdout } = await slow.ended;
  expect(exitCode).toBe(130);
  const { discarded: count } = JSON.parse(stdout) as { discarded: number };
  expect(await discarded().countDocuments()).toStrictEqual(count);
  expect(await outbox().countDocuments({ status: 'dead' })).toStrictEqual(6 - count);
});

it('with a redrive and writers at the same time, every event is in exactly one of the collections', async () => {
  const fields = Array.from({ length: 600 }, (_, index) => ({ aggregateId: `contested-${index % 20}` }));
  const ids = [...(await deadEvents('payload-invalid', fields))].sort();
  const written: string[] = [];
  const writing = new AbortController();
  const writer = (async () => {
    while (!writing.signal.aborted) {
      const event = outboxEvent({ aggregateId: `contested-${written.length % 20}` });
      await outbox().insertOne(event);
      written.push(String(event._id));
    }
  })();
  const slowRate = ['--rate', '100'];
  const [redriven, gone] = await Promise.all([
    outgraph(['redrive', '--all', ...slowRate], outboxAlone()),
    discard(['--all', ...slowRate]),
  ]);
  writing.abort();
  await writer;
  expect(Number(redriven.redriven)).toBeGreaterThan(0);
  expect(Number(gone.discarded)).toBeGreaterThan(0);
  const [remaining, moved] = [await idsIn(outbox()), await idsIn(discarded())];
  expect(await idsIn(outbox(), { status: 'pending' })).toStrictEqual(remaining);
  expect(moved).toHaveLength(Number(gone.discarded));
  expect([...remaining, ...moved].sort()).toStrictEqual([...ids, ...written].sort());
}, 60_000);

it('does not overwrite a discarded event with one that was put back by hand and died again', async () => {
  const eventId = await deadEvent('payload-invalid');
  const event = await outbox().findOne(byId(eventId), exactTypes);
  await discard(['--all']);
  await outbox().insertOne(event ?? {});
  const args = ['dead', 'discard', '--all', '--yes', '--reason', 'again'];
  const { exitCode, stderr } = await startOutgraph(args, outboxAlone()).ended;
  expect({ exitCode, stderr }).toStrictEqual({
    exitCode: 1,
    stderr: expect.stringContaining('is already in outboxDiscarded'),
  });
  expect(await outbox().countDocuments({ status: 'dead' })).toBe(1);
  expect(await discarded().findOne(byId(eventId))).toMatchObject({ reason: 'for a test' });
});

describe('a discarded event', () => {
  it('is listed with its reason, newest first, and can be shown', async () => {
    const first = await deadEvent('payload-invalid', { aggregateType: 'order', aggregateId: '1' });
    await outgraph(['dead', 'discard', '--all', '--reason', 'written by\na test'], outboxAlone());
    const second = await deadEvent('key-invalid', { aggregateType: 'other' });
    await discard(['--all']);
    const list = async (...args: readonly string[]) => {
      const { stdout } = await startOutgraph(['dead', 'list', '--discarded', '--json', ...args], outboxAlone()).ended;
      return (JSON.parse(stdout) as { discarded: Document[] }).discarded.map((one) => [one.eventId, one.reason]);
    };
    const [newer, older] = [
      [second, 'for a test'],
      [first, 'written by\\u000aa test'],
    ];
    expect(await list()).toStrictEqual([newer, older]);
    expect(await list('--limit', '1')).toStrictEqual([newer]);
    expect(await list('--type', 'order')).toStrictEqual([older]);
    const { stdout } = await startOutgraph(['dead', 'list', '--discarded'], outboxAlone()).ended;
    expect(stdout).toMatch(new RegExp(`${first}  order:1 +payload-invalid  written by\\\\u000aa test\n$`));
    const shown = await startOutgraph(['dead', 'show', first], outboxAlone()).ended;
    expect(shown.stdout).toMatch(/^discarded +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: written by/m);
  });

  it('is read by index, and no more are read than are listed', async () => {
    await deadEvents(
      'payload-invalid',
      Array.from({ length: 50 }, () => ({})),
    );
    await discard(['--all', '--rate', '1000']);
    const work = await explainQueries(servers.mongodbUri, database.db.databaseName, (db) =>
      listDiscarded(db, { codes: [], aggregateTypes: [], eventIds: [] }, 10),
    );
    expect(work).toStrictEqual([{ command: 'find', indexes: ['outgraph_discarded'], keys: 10, documents: 10 }]);
  });
});
