/** `outgraph dead list` and `dead show` on a real outbox and graph. */
import { type Document, ObjectId, Timestamp } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DataFaultCode } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { outboxEvent, upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  [database, small] = await Promise.all([createTestDatabase(), openSmallGraph()]);
});
beforeEach(async () => {
  await outbox().deleteMany({});
});
afterAll(async () => {
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection(outboxCollection);

async function deadEvent(code: DataFaultCode, fields: Document = {}, message = 'for a test'): Promise<string> {
  const event = upsertEvent({ nodes: [] }, fields);
  await outbox().insertOne(event);
  await markDead(outbox(), [{ eventId: event._id.toHexString(), code, message }]);
  return event._id.toHexString();
}

/** Creates an event that died at this minute. */
async function deadAt(minute: number, code: DataFaultCode, aggregateType: string): Promise<string> {
  const eventId = await deadEvent(code, { aggregateType });
  await outbox().updateOne({ _id: new ObjectId(eventId) }, { $set: { deadAt: time(minute) } });
  return eventId;
}

const time = (minute: number) => new Date(Date.UTC(2026, 4, 1, 10, minute));

async function run(args: readonly string[], settings: Record<string, string> = database.settings): Promise<string> {
  const { exitCode, stdout, stderr } = await startOutgraph(['dead', ...args], settings).ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 0, stderr: '' });
  return stdout;
}

const json = async (args: readonly string[], settings?: Record<string, string>) =>
  JSON.parse(await run([...args, '--json'], settings)) as Record<string, Document | Document[]>;

describe('dead list', () => {
  it('counts by code and type, and lists the newest first', async () => {
    const ids = [
      await deadAt(1, 'payload-invalid', 'order'),
      await deadAt(2, 'key-invalid', 'order'),
      await deadAt(3, 'payload-invalid', 'order'),
    ];
    await outbox().insertOne(outboxEvent());
    const { groups, events, isCapped } = await json(['list', '--limit', '2']);
    expect(groups).toStrictEqual([
      {
        code: 'payload-invalid',
        aggregateType: 'order',
        events: 2,
        oldest: time(1).toISOString(),
        newest: time(3).toISOString(),
      },
      {
        code: 'key-invalid',
        aggregateType: 'order',
        events: 1,
        oldest: time(2).toISOString(),
        newest: time(2).toISOString(),
      },
    ]);
    expect((events as Document[]).map((event) => event.eventId)).toStrictEqual([ids[2], ids[1]]);
    expect(isCapped).toBe(false);
    const text = await run(['list', '--limit', '2']);
    expect(text).toMatch(
      /^3 dead events\.\n\ncode +type +events +oldest +newest\npayload-invalid +order +2 +2026-05-01T10:01:00Z/,
    );
    expect(text).toContain(`2026-05-01T10:03:00Z  ${ids[2]}  order:`);
    expect(text).toContain('… and 1 more: --limit');
  });

  it.each<readonly [string, (ids: readonly string[]) => readonly string[], readonly number[]]>([
    ['a code', () => ['--code', 'payload-invalid'], [0, 1]],
    ['a type', () => ['--type', 'other'], [1, 2]],
    ['an id', (ids) => ['--id', ids[2] ?? ''], [2]],
    ['all', () => ['--all'], [0, 1, 2]],
  ])('lists those of %s', async (_, choose, expected) => {
    const ids = [
      await deadAt(3, 'payload-invalid', 'order'),
      await deadAt(2, 'payload-invalid', 'other'),
      await deadAt(1, 'key-invalid', 'other'),
    ];
    const { events } = await json(['list', ...choose(ids)]);
    expect((events as Document[]).map(({ eventId }) => eventId)).toStrictEqual(expected.map((index) => ids[index]));
  });

  it('says so if nothing is dead', async () => {
    const found = await startOutgraphProcess(['dead', 'list'], database.settings).ended;
    expect(found).toStrictEqual({ exitCode: 0, stdout: 'No dead event matches.\n', stderr: '' });
  });

  it('escapes control characters in an aggregate id, and shows no payload', async () => {
    const aggregateId = 'a\u001b[2Jb';
    await deadEvent('payload-invalid', { aggregateId, payload: { secret: 'sesame' } });
    const text = (await run(['list'])) + JSON.stringify(await json(['list']));
    expect(text).toContain('graph:a\\u001b[2Jb');
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('sesame');
  });

  it('lists an event that bypassed the validator without some fields', async () => {
    const _id = new ObjectId();
    const fields = { aggregateType: 'order', aggregateId: 7, status: 'dead', deadAt: time(1) };
    await outbox().insertOne({ _id, ...fields }, { bypassDocumentValidation: true });
    expect((await json(['list'])).events).toMatchObject([
      { eventId: String(_id), aggregateId: '7', code: 'undefined' },
    ]);
    expect((await json(['show', String(_id)])).event).toMatchObject({ position: null, createdAt: null });
  });
});

describe('dead show', () => {
  const showNewer = async (eventId: string) => (await json(['show', eventId])).newer;
  const id = (name: string) => `${small.graph.label}-${name}`;

  it('shows every field, what the code means, and what to do', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const fields = { aggregateType: 'order', aggregateId: '42', attempts: 3, traceparent };
    const eventId = await deadEvent('ownership-conflict', fields, 'nodes[0] is owned by order:41');
    const stored = await outbox().findOne({ _id: new ObjectId(eventId) });
    const text = await run(['show', eventId]);
    for (const line of [
      `event        ${eventId}`,
      'aggregate    order:42',
      'operation    upsert',
      `created      ${stored?.createdAt.toISOString().slice(0, 19)}Z`,
      'attempts     3',
      `traceparent  ${traceparent}`,
      `dead since   ${stored?.deadAt.toISOString().slice(0, 19)}Z`,
      'code         ownership-conflict',
      'message      nodes[0] is owned by order:41',
      'means        another aggregate lists the node; error.message names both',
      'do           make one of them release the node, or make the node shared; redrive',
    ])
      expect(text.split('\n')).toContain(line);
    expect((await json(['show', eventId])).event).toMatchObject({
      eventId,
      aggregateType: 'order',
      aggregateId: '42',
      attempts: 3,
      traceparent,
      code: 'ownership-conflict',
      message: 'nodes[0] is owned by order:41',
    });
  });

  it('shows the payload only on request, as relaxed Extended JSON', async () => {
    const _id = new ObjectId();
    const eventId = await deadEvent('payload-invalid', { payload: { _id, name: 'Ada', at: time(0), parts: [1, 2.5] } });
    expect(await run(['show', eventId])).not.toContain('Ada');
    expect((await json(['show', eventId])).payload).toBeNull();
    expect((await json(['show', eventId, '--payload'])).payload).toStrictEqual({
      _id: { $oid: String(_id) },
      name: 'Ada',
      at: { $date: time(0).toISOString().replace('.000', '') },
      parts: [1, 2.5],
    });
    expect(await run(['show', eventId, '--payload'])).toContain('"name": "Ada"');
  });

  it('treats a payload with a field _bsontype as plain data', async () => {
    const payload = new Map<string, unknown>([['_bsontype', 'ObjectId']]);
    const eventId = await deadEvent('payload-invalid', { payload });
    expect((await json(['show', eventId, '--payload'])).payload).toStrictEqual({ _bsontype: 'ObjectId' });
  });

  it('says whether a newer event of the aggregate is pending or dead', async () => {
    const aggregateId = id('overtaken');
    const eventId = await deadEvent('payload-invalid', { aggregateId });
    expect(await showNewer(eventId)).toBe('none');
    const newer = await deadEvent('payload-invalid', { aggregateId });
    expect(await showNewer(eventId)).toBe('dead');
    expect(await showNewer(newer)).toBe('none');
    await outbox().insertOne(outboxEvent({ aggregateId }));
    expect(await showNewer(eventId)).toBe('pending');
    expect(await run(['show', eventId])).toContain('a newer event of the aggregate is pending');
  });

  it.each([
    ['state', (name: string) => [small.state(name, { nodes: [] }), small.state(name, { nodes: [] })]],
    ['deletion', (name: string) => [small.state(name, { nodes: [] }), small.state(name, null)]],
  ])('says that the graph has a newer %s whose event is purged', async (name, states) => {
    const position = new Timestamp({ t: 1, i: 1 });
    const eventId = await deadEvent('payload-invalid', { aggregateId: id(name), position });
    expect(await showNewer(eventId)).toBe('none');
    for (const state of states(name)) await small.apply([state]);
    expect(await showNewer(eventId)).toBe('applied');
  });

  it('continues without a graph, and says that it was not queried', async () => {
    const eventId = await deadEvent('payload-invalid');
    const { NEO4J_URI: _, ...outboxAlone } = database.settings;
    expect(await json(['show', eventId], outboxAlone)).toMatchObject({
      newer: 'none',
      graphUnread: 'NEO4J_URI is not set',
    });
    const unreachable = { ...database.settings, NEO4J_URI: 'bolt://127.0.0.1:1' };
    expect(await run(['show', eventId], unreachable)).toContain('the graph was not queried: Neo4j');
  }, 60_000);

  it('reports the status of an event that is not dead, and that an unknown id does not exist', async () => {
    const pending = outboxEvent();
    await outbox().insertOne(pending);
    expect(await run(['show', String(pending._id)])).toBe(`The event ${pending._id} is not dead: it is pending.\n`);
    const unknown = startOutgraphProcess(['dead', 'show', String(new ObjectId()), '--json'], database.settings);
    const { exitCode, stdout } = await unknown.ended;
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'wrong', found: 'unknown' });
  });

  it('wrong use exits 2', async () => {
    const { exitCode, stderr } = await startOutgraph(['dead', 'show', 'abc'], database.settings).ended;
    expect({ exitCode, stderr }).toStrictEqual({
      exitCode: 2,
      stderr: expect.stringContaining('24 lower-case hexadecimal digits'),
    });
  });
});
