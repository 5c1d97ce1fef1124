/**
 * The graph does not depend on how events are batched, even if claims and values move between
 * aggregates.
 */
import type { Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { openConsumer, type TestConsumer } from '../../support/consume-events.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { openSmallGraph } from '../../support/small-graph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let small: Awaited<ReturnType<typeof openSmallGraph>>;
let consumer: TestConsumer;
beforeAll(async () => {
  database = await createTestDatabase();
  small = await openSmallGraph();
  consumer = openConsumer({ ...database.settings, CONFLICT_MAX_RECEIVES: '2' });
  const { driver, label } = small.graph;
  await driver.executeQuery(`CREATE CONSTRAINT mail_${label} FOR (n:${label}) REQUIRE n.mail IS UNIQUE`);
});
afterAll(async () => {
  await consumer.close();
  await small.graph.driver.executeQuery(`DROP CONSTRAINT mail_${small.graph.label} IF EXISTS`);
  await small.clear();
  await database.drop();
});

const outbox = () => database.db.collection<Document>(outboxCollection);
let names = 0;
/** A unique name for an aggregate or a node of one test. */
function fresh(name: string): string {
  names += 1;
  return `${name}-${names}`;
}

/** Inserts the events in this order, as one transaction does. */
async function write(...events: (Document & { _id: ObjectId })[]): Promise<ObjectId[]> {
  await outbox().insertMany(events);
  return events.map(({ _id }) => _id);
}
const owning = (aggregate: string, nodes: readonly (string | [string, object])[]) =>
  upsertEvent(
    {
      nodes: nodes.map((one) =>
        typeof one === 'string' ? small.node(one) : small.node(one[0], { properties: one[1] }),
      ),
    },
    { aggregateId: `${small.graph.label}-${aggregate}` },
  );
async function statusesOf(ids: readonly ObjectId[]): Promise<readonly string[]> {
  const found = await outbox()
    .find({ _id: { $in: [...ids] } })
    .toArray();
  const byId = new Map(found.map((event) => [String(event._id), event]));
  return ids.map((id) => {
    const { status, error }: Document = byId.get(String(id)) ?? {};
    return error === undefined ? status : error.code;
  });
}
async function ownersOf(...nodes: readonly string[]): Promise<readonly (string | null)[]> {
  const { records } = await small.graph.driver.executeQuery(
    `UNWIND $nodes AS id OPTIONAL MATCH (n:${small.graph.label} {id: id}) RETURN n._outgraphOwner AS owner`,
    { nodes },
  );
  return records.map((record) => record.get('owner')?.replace(`graph:${small.graph.label}-`, '') ?? null);
}
const mailOf = (node: string) =>
  small.graph.driver
    .executeQuery(`MATCH (n:${small.graph.label} {id: $node}) RETURN n.mail AS mail`, { node })
    .then(({ records }) => records[0]?.get('mail') ?? null);

describe('two aggregates that swap a node in one transaction', () => {
  it.each([
    ['of 10,000 elements each', 9_990],
    ['of a few elements', 2],
  ])('are both applied, in one batch: %s', async (_, size) => {
    const [a, b, x, y] = [fresh('a'), fresh('b'), fresh('x'), fresh('y')];
    const others = (of: string) => Array.from({ length: size }, (__, index) => `${of}-${index}`);
    const before = await write(owning(a, [x, ...others(a)]), owning(b, [y, ...others(b)]));
    await consumer.consume(before);
    const swapped = await write(owning(a, [y, ...others(a)]), owning(b, [x, ...others(b)]));
    await consumer.consume(swapped);
    expect(await statusesOf([...before, ...swapped])).toStrictEqual(Array(4).fill('processed'));
    expect(await ownersOf(x, y)).toStrictEqual([b, a]);
  });

  it('are both applied if a full batch takes several transactions', async () => {
    const [a, b, x, y] = [fresh('a'), fresh('b'), fresh('x'), fresh('y')];
    const bulk = () =>
      Array.from({ length: 400 }, () =>
        owning(
          fresh('bulk'),
          Array.from({ length: 60 }, () => fresh('n')),
        ),
      );
    await consumer.consume(await write(owning(a, [x]), owning(b, [y])));
    const swapped = await write(owning(a, [y]), ...bulk(), owning(b, [x]));
    await consumer.consume(swapped);
    expect(new Set(await statusesOf(swapped))).toStrictEqual(new Set(['processed']));
    expect(await ownersOf(x, y)).toStrictEqual([b, a]);
  });

  it('are both applied if each is in a separate batch', async () => {
    const [a, b, x, y] = [fresh('a'), fresh('b'), fresh('x'), fresh('y')];
    await consumer.consume(await write(owning(a, [x]), owning(b, [y])));
    const [first, second] = await write(owning(a, [y]), owning(b, [x]));
    await consumer.consume([second as ObjectId]);
    await consumer.consume([first as ObjectId]);
    expect(await statusesOf([first as ObjectId, second as ObjectId])).toStrictEqual(['processed', 'processed']);
    expect(await ownersOf(x, y)).toStrictEqual([b, a]);
  });
});

describe('a valid event and a newer one that claims what another aggregate owns', () => {
  it.each(['together', 'apart'])('are applied and dead if delivered %s', async (how) => {
    const [a, b, x, own] = [fresh('a'), fresh('b'), fresh('x'), fresh('own')];
    await consumer.consume(await write(owning(a, [x])));
    const [valid, refused] = (await write(owning(b, [own]), owning(b, [own, x]))) as [ObjectId, ObjectId];
    if (how === 'apart') {
      await consumer.consume([valid]);
      await consumer.consume([refused]);
      await consumer.consume([refused], 2);
    } else {
      await consumer.consume([valid, refused]);
      await consumer.consume([refused], 2);
    }
    expect(await statusesOf([valid, refused])).toStrictEqual(['processed', 'ownership-conflict']);
    expect(await ownersOf(own, x)).toStrictEqual([b, a]);
  });

  it('are applied if the owner releases it by an event that is older than its own refused one', async () => {
    const [a, b, x] = [fresh('a'), fresh('b'), fresh('x')];
    await consumer.consume(await write(owning(a, [x])));
    const invalid = owning(a, [[fresh('z'), { nested: { no: 1 } }]]);
    const [releases, invalidId, claims] = (await write(owning(a, []), invalid, owning(b, [x]))) as [
      ObjectId,
      ObjectId,
      ObjectId,
    ];
    await consumer.consume([claims]);
    expect(await statusesOf([releases, invalidId, claims])).toStrictEqual([
      'processed',
      'value-unsupported',
      'processed',
    ]);
    expect(await ownersOf(x)).toStrictEqual([b]);
  });
});

describe("a value that a user's unique constraint allows once", () => {
  it('moves from one aggregate to another if delivered in reverse', async () => {
    const [u1, u2] = [fresh('u'), fresh('u')];
    const value = fresh('mail');
    await consumer.consume(await write(owning(u2, [[u2, { mail: value }]])));
    const [gives, takes] = (await write(owning(u2, [[u2, {}]]), owning(u1, [[u1, { mail: value }]]))) as [
      ObjectId,
      ObjectId,
    ];
    await consumer.consume([takes]);
    await consumer.consume([gives]);
    expect(await statusesOf([gives, takes])).toStrictEqual(['processed', 'processed']);
    expect(await mailOf(u1)).toBe(value);
  });

  it.each(['together', 'in reverse'])('is swapped between two aggregates if delivered %s', async (how) => {
    const [u1, u2, one, two] = [fresh('u'), fresh('u'), fresh('mail'), fresh('mail')];
    await consumer.consume(await write(owning(u1, [[u1, { mail: one }]]), owning(u2, [[u2, { mail: two }]])));
    const swapped = await write(owning(u1, [[u1, { mail: two }]]), owning(u2, [[u2, { mail: one }]]));
    if (how === 'together') await consumer.consume(swapped);
    else for (const id of [...swapped].reverse()) await consumer.consume([id]);
    expect(await statusesOf(swapped)).toStrictEqual(['processed', 'processed']);
    expect([await mailOf(u1), await mailOf(u2)]).toStrictEqual([two, one]);
  });

  it('is taken from an aggregate that is deleted in the same batch', async () => {
    const [u1, u2, value] = [fresh('u'), fresh('u'), fresh('mail')];
    await consumer.consume(await write(owning(u2, [[u2, { mail: value }]])));
    const gone = upsertEvent(null, { aggregateId: `${small.graph.label}-${u2}` });
    const ids = await write(gone, owning(u1, [[u1, { mail: value }]]));
    await consumer.consume(ids);
    expect(await statusesOf(ids)).toStrictEqual(['processed', 'processed']);
    expect(await mailOf(u1)).toBe(value);
  });

  it('rotates in three events of two aggregates in one batch', async () => {
    const [p1, p2, y, z, free] = [fresh('p'), fresh('p'), fresh('y'), fresh('z'), fresh('free')];
    await consumer.consume(await write(owning(p2, [[p2, { mail: y }]])));
    const ids = await write(
      owning(p1, [[p1, { mail: free }]]),
      owning(p2, [[p2, { mail: z }]]),
      owning(p1, [[p1, { mail: y }]]),
    );
    await consumer.consume(ids);
    expect(await statusesOf(ids)).toStrictEqual(['processed', 'processed', 'processed']);
    expect([await mailOf(p1), await mailOf(p2)]).toStrictEqual([y, z]);
  });

  it('that another aggregate keeps makes one event dead, with a message that names the holder', async () => {
    const [u1, u2, value] = [fresh('u'), fresh('u'), fresh('mail')];
    const [holds] = await write(owning(u2, [[u2, { mail: value }]]));
    await consumer.consume([holds as ObjectId]);
    const ids = await write(owning(u1, [[u1, { mail: value }]]), owning(fresh('n'), [fresh('n')]));
    await consumer.consume(ids);
    await consumer.consume(ids, 2);
    expect(await statusesOf(ids)).toStrictEqual(['constraint-violation', 'processed']);
    const dead = await outbox().findOne({ _id: ids[0] as ObjectId });
    expect(dead?.error.message).toContain(`${small.graph.label}-${u2}`);
    expect(dead?.error.message).not.toContain(value);
  });
});

describe('an additional label that has its own key', () => {
  it('is refused by name, in either order of the events', async () => {
    const [keyed, late] = [`${small.graph.label}Keyed`, `${small.graph.label}Late`];
    const named = (label: string) =>
      upsertEvent(
        { nodes: [{ label, key: { user_id: 'u1' } }] },
        { aggregateId: `${small.graph.label}-${fresh('k')}` },
      );
    const adding = (label: string) =>
      upsertEvent(
        { nodes: [small.node(fresh('l'), { labels: [label], properties: { user_id: 'u1' } })] },
        { aggregateId: `${small.graph.label}-${fresh('k')}` },
      );
    const [first, second] = (await write(named(keyed), adding(keyed))) as [ObjectId, ObjectId];
    await consumer.consume([first]);
    await consumer.consume([second]);
    const [third, fourth] = (await write(adding(late), named(late))) as [ObjectId, ObjectId];
    await consumer.consume([third]);
    await consumer.consume([fourth]);
    expect(await statusesOf([first, second, third, fourth])).toStrictEqual([
      'processed',
      'label-keyed',
      'processed',
      'label-keyed',
    ]);
    const dead = await outbox().find({ 'error.code': 'label-keyed' }).toArray();
    expect(dead.map(({ error }) => error.message)).toStrictEqual([
      expect.stringContaining(keyed),
      expect.stringContaining(late),
    ]);
    await small.graph.driver.executeQuery(`MATCH (n:${keyed}) DETACH DELETE n`);
    await small.graph.driver.executeQuery(`DROP CONSTRAINT outgraph_key_${keyed} IF EXISTS`);
  });
});

describe("a user's index on the key of a label", () => {
  it('makes the event dead with a message that names the index and the statement that drops it', async () => {
    const label = `${small.graph.label}Indexed`;
    await small.graph.driver.executeQuery(`CREATE INDEX theirs_${label} FOR (n:${label}) ON (n.id)`);
    const [id] = await write(
      upsertEvent({ nodes: [{ label, key: { id: 'x' } }] }, { aggregateId: `${small.graph.label}-${fresh('i')}` }),
    );
    await consumer.consume([id as ObjectId]);
    const dead = await outbox().findOne({ _id: id as ObjectId });
    expect(dead?.error).toMatchObject({
      code: 'label-not-declared',
      message: expect.stringContaining(`DROP INDEX \`theirs_${label}\``),
    });
    await small.graph.driver.executeQuery(`DROP INDEX theirs_${label}`);
  });
});
