/** XMem's temporal memory cases on the deployed functions. */
import { Int32 } from 'mongodb';
import { afterAll, expect, it } from 'vitest';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { closeClients, db, outbox, query, untilSettled } from '../../support/wait-for.ts';
import type { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { expectInStep, newScope } from './in-step.ts';
import { redeliver } from './redeliver.ts';

afterAll(closeClients);

/** A user's relationships, ordered by day and name, with Neo4j's own ids. */
async function eventsOf({ name }: XmemScope) {
  return query(
    `MATCH (:User {user_id: $name})-[r:HAS_EVENT]->(d:Date)
     RETURN d.date AS date, properties(r) AS properties, elementId(r) AS id ORDER BY date, r.event_name, r.event_id`,
    { name },
  );
}

it('N1: two events on one day, one updated: the other is unchanged', async () => {
  const scope = newScope();
  const updated = await scope.memory.add('12-10', { event_name: 'Nobel Day', desc: 'a prize' });
  await scope.memory.add('12-10', { event_name: 'Human Rights Day', desc: 'a declaration', year: '1948' });
  await expectInStep(scope);
  const [other] = await eventsOf(scope);
  await scope.memory.update(updated, { desc: 'a prize in Stockholm', time: '16:30' });
  await expectInStep(scope);
  expect(await eventsOf(scope)).toMatchObject([
    other ?? {},
    { date: '12-10', properties: { event_name: 'Nobel Day', desc: 'a prize in Stockholm', time: '16:30' } },
  ]);
});

it('N2: the same name twice on one day is two relationships; deleting one leaves the other', async () => {
  const scope = newScope();
  const first = await scope.memory.add('02-29', { event_name: 'Leap Day' });
  const second = await scope.memory.add('02-29', { event_name: 'Leap Day' });
  await expectInStep(scope);
  expect((await eventsOf(scope)).map(({ properties }) => properties.event_id)).toStrictEqual([
    String(first),
    String(second),
  ]);
  await scope.memory.delete(first);
  await expectInStep(scope);
  expect((await eventsOf(scope)).map(({ properties }) => properties.event_id)).toStrictEqual([String(second)]);
});

it('N4: an old upsert redelivered after the deletion does not bring the event back', async () => {
  const scope = newScope();
  const _id = await scope.memory.add('05-11', { event_name: 'gone' });
  await scope.memory.update(_id, { desc: 'nearly gone' });
  await scope.memory.delete(_id);
  await expectInStep(scope);
  const upserts = (await scope.events()).filter(({ operation }) => operation === 'upsert');
  expect(upserts).toHaveLength(2);
  await redeliver(upserts, 'queue');
  await redeliver(upserts, 'bus');
  expect(await eventsOf(scope)).toStrictEqual([]);
  expect((await expectInStep(scope)).nodes.size).toBe(0);
});

it.each([
  '02-30',
  '2026-05-11',
  '5-11',
  '00-10',
  '',
])('N6: the date %o is refused with an error that names the field, or its event is dead', async (date) => {
  const scope = newScope();
  const day = await scope.memory.add('05-11', { event_name: 'before' });
  await expectInStep(scope);
  const before = await scope.elements();
  const refusal = { code: 'payload-invalid', message: expect.stringContaining('payload.date') };
  await expect(scope.memory.add(date, { event_name: 'never' })).rejects.toMatchObject(refusal);
  await expect(scope.memory.update(day, { date })).rejects.toMatchObject(refusal);
  expect(await db.collection(memoryEvent.collection).countDocuments({ user_id: scope.name })).toBe(1);
  expect(await scope.events()).toHaveLength(1);

  const event = upsertEvent({ user_id: scope.name, date }, { aggregateType: 'memory-event', aggregateId: String(day) });
  await outbox.insertOne(event);
  expect(await untilSettled([event._id])).toMatchObject([{ status: 'dead', error: refusal }]);
  expect(await scope.elements()).toStrictEqual(before);
  // A dead event keeps an alarm raised, also in the alarm tests.
  await outbox.deleteOne({ _id: event._id });
});

it('N7: an empty name never clears a day; a name deletes its events of that day, a date the whole day', async () => {
  const scope = newScope();
  await scope.memory.add('12-24', { event_name: '' });
  await scope.memory.add('12-24', { event_name: 'tree' });
  await scope.memory.add('12-24', { event_name: 'tree' });
  await scope.memory.add('12-25', { event_name: 'tree' });
  await expectInStep(scope);
  const before = await scope.elements();
  await expect(scope.memory.deleteByName('12-24', '')).rejects.toThrow('needs a name');
  expect(await scope.events()).toHaveLength(4);
  expect(await scope.elements()).toStrictEqual(before);

  expect(await scope.memory.deleteByName('12-24', 'tree')).toBe(2);
  await expectInStep(scope);
  expect((await eventsOf(scope)).map(({ date, properties }) => [date, properties.event_name])).toStrictEqual([
    ['12-24', ''],
    ['12-25', 'tree'],
  ]);
  expect(await scope.memory.deleteByDate('12-24')).toBe(1);
  await expectInStep(scope);
  expect((await eventsOf(scope)).map(({ date }) => date)).toStrictEqual(['12-25']);
});

it('N8: clearing a field, by null or by removing it, removes the property', async () => {
  const scope = newScope();
  const fields = {
    event_name: 'x',
    desc: 'd',
    year: 2024,
    time: '10:00',
    date_expression: 'today',
    embedding: [0.5, 1],
  };
  const removed = await scope.memory.add('07-14', fields);
  await scope.memory.add('07-15', { ...fields, desc: null, embedding: null });
  await expectInStep(scope);
  await scope.memory.update(removed, { desc: null, year: null, embedding: null });
  await expectInStep(scope);
  expect(
    (await eventsOf(scope)).map(({ properties }) =>
      Object.keys(properties)
        .filter((one) => !one.startsWith('_'))
        .sort(),
    ),
  ).toStrictEqual([
    ['date_expression', 'event_id', 'event_name', 'time'],
    ['date_expression', 'event_id', 'event_name', 'time', 'year'],
  ]);
});

it('N15: a clear redelivered after new events does not remove the new ones', async () => {
  const scope = newScope();
  await scope.memory.addUser();
  for (const date of ['01-01', '01-01', '06-30']) await scope.memory.add(date, { event_name: 'old' });
  await expectInStep(scope);
  expect(await scope.memory.clear()).toBe(3);
  await expectInStep(scope);
  expect(await eventsOf(scope)).toStrictEqual([]);

  const clear = (await scope.events()).filter(({ operation }) => operation === 'delete');
  expect(clear).toHaveLength(3);
  for (const date of ['01-01', '09-09']) await scope.memory.add(date, { event_name: 'new' });
  await expectInStep(scope);
  const before = await scope.elements();
  await redeliver(clear, 'queue');
  await redeliver([...clear].reverse(), 'bus');
  expect(await scope.elements()).toStrictEqual(before);
  expect((await eventsOf(scope)).map(({ date }) => date)).toStrictEqual(['01-01', '09-09']);
});

it("N16: updates, moves, clears and deletions by name or day never touch another user's data", async () => {
  const other = newScope();
  const scope = newScope();
  const day = { event_name: 'Leap Day', desc: 'd' };
  for (const { memory } of [other, scope]) {
    await memory.addUser();
    await memory.add('02-29', day);
    await memory.add('03-01', day);
  }
  const moved = await scope.memory.add('02-29', day);
  await Promise.all([expectInStep(other), expectInStep(scope)]);
  const before = await other.elements();
  await scope.memory.update(moved, { desc: 'changed' });
  await scope.memory.update(moved, { date: '03-01' });
  await scope.memory.deleteByName('02-29', 'Leap Day');
  await scope.memory.deleteByDate('03-01');
  await scope.memory.add('02-29', day);
  await scope.memory.clear();
  await expectInStep(scope);
  expect(await eventsOf(scope)).toStrictEqual([]);
  expect(await other.elements()).toStrictEqual(before);
  await expectInStep(other);
});

it('O: an integer year is accepted and stored as text', async () => {
  const scope = newScope();
  await scope.memory.add('12-10', { event_name: 'a', year: new Int32(2024), embedding: [1, 0] });
  await expectInStep(scope);
  const [row] = await query(
    `MATCH (:User {user_id: $name})-[r:HAS_EVENT]->(:Date)
     RETURN r.year AS year, valueType(r.year) AS yearType, valueType(r.embedding) AS embeddingType`,
    { name: scope.name },
  );
  expect(row).toStrictEqual({
    year: '2024',
    yearType: 'STRING NOT NULL',
    embeddingType: 'LIST<FLOAT NOT NULL> NOT NULL',
  });
});

it('O: an unchanged event needs no event in the outbox, and deleting what is missing succeeds', async () => {
  const scope = newScope();
  const _id = await scope.memory.add('12-10', { event_name: 'a', year: 2024 });
  await expectInStep(scope);
  await scope.memory.update(_id, { event_name: 'a', year: 2024 });
  expect(await scope.memory.deleteByName('12-11', 'a')).toBe(0);
  expect(await scope.memory.deleteByDate('12-11')).toBe(0);
  expect(await scope.events()).toHaveLength(1);
  expect(await scope.memory.delete(_id)).toBe(1);
  expect(await scope.memory.delete(_id)).toBe(0);
  expect(await scope.memory.clear()).toBe(0);
  await expectInStep(scope);
  // Another writer deletes an unknown aggregate.
  const unknown = upsertEvent(null, { aggregateType: 'memory-event' });
  await outbox.insertOne(unknown);
  expect(await untilSettled([unknown._id])).toMatchObject([{ status: 'processed' }]);
});
