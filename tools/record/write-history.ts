/**
 * The documents of a recording, written through the writer library: every kind of element, and
 * every outcome that an event can have.
 */
import { type Db, type Document, Double, Int32, Long, type MongoClient } from 'mongodb';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { graph } from '../../lib/projection/graph.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import { outboxEvent, upsertEvent } from '../../test/support/outbox-event.ts';
import { memoryEvent } from '../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../xmem/aggregates/memory-user.ts';

const file = (path: string, rest: Document = {}) => ({ label: 'File', key: { repo: 'outgraph', path }, ...rest });
const repository = { label: 'Repository', key: { id: new Int32(7) } };
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const everyValue = {
  text: 'é "\\\n',
  big: Long.fromString('9007199254740993'),
  small: new Int32(-1),
  real: new Double(1),
  yes: true,
  at: new Date('2024-02-29T12:34:56.789Z'),
  list: ['a', 'b'],
  numbers: [new Int32(1), new Int32(2)],
  none: null,
};

const calls = (from: string, to: string, rest: Document = {}) => ({
  type: 'CALLS',
  from: file(from),
  to: file(to),
  ...rest,
});
const inRepository = (path: string) => ({ type: 'IN', from: file(path), to: repository, shared: true });

/** The aggregate that stays in conflict: it claims a node that `holder` owns. */
export const rivalId = 'rival';

/**
 * History that the consumer settles: owned, shared and bare nodes, owned, parallel and shared
 * relationships, a move, a tombstone, an event that is dead, and one in conflict.
 */
export async function writeSettledHistory(client: MongoClient, db: Db): Promise<void> {
  const graphs = tracked(client, db, graph);
  const outbox = db.collection(outboxCollection);
  await graphs.insertOne({
    _id: 'sources',
    nodes: [
      file('a.ts', { labels: ['Source', 'Large'], properties: everyValue }),
      file('b.ts'),
      { ...repository, shared: true },
    ],
    relationships: [
      calls('a.ts', 'b.ts', { properties: { call_count: new Int32(2), since: new Date(0) } }),
      calls('a.ts', 'b.ts', { key: 'e-17' }),
      calls('a.ts', 'bare.ts'),
      inRepository('a.ts'),
    ],
  });
  await graphs.insertOne({
    _id: 'holder',
    nodes: [file('c.ts', { properties: { lines: new Int32(3) } }), { ...repository, shared: true }],
    relationships: [calls('c.ts', 'a.ts'), inRepository('a.ts'), inRepository('c.ts')],
  });
  await graphs.insertOne({ _id: 'moved', nodes: [file('old.ts')], relationships: [calls('old.ts', 'a.ts')] });
  await graphs.updateOne(
    { _id: 'moved' },
    { $set: { nodes: [file('new.ts')], relationships: [calls('new.ts', 'a.ts')] } },
  );
  await graphs.insertOne({ _id: 'gone', nodes: [file('gone.ts')], relationships: [calls('gone.ts', 'a.ts')] });
  await graphs.insertOne({ _id: 'leaving', nodes: [file('leaving.ts')], relationships: [] });
  await graphs.deleteOne({ _id: 'gone' });
  await tracked(client, db, memoryUser).insertOne({ _id: 'ada', user_id: 'ada' });
  await tracked(client, db, memoryEvent).insertMany([
    { _id: 'birthday', user_id: 'ada', date: '12-10', year: 1815, event_name: 'birthday', embedding: [1, 0.5] },
    { _id: 'letter', user_id: 'ada', date: '12-10', desc: 'a letter' },
  ]);
  const nested = { nodes: [file('dead.ts', { properties: { nested: { never: 'applied' } } })], relationships: [] };
  await outbox.insertOne(upsertEvent(nested, { aggregateId: 'refused', traceparent }));
  await outbox.insertOne(outboxEvent({ aggregateType: 'no-such-type', aggregateId: 'unknown' }));
}

/** Written once its holder is settled. */
export async function writeRival(db: Db): Promise<void> {
  const claim = { nodes: [file('c.ts', { properties: { lines: new Int32(4) } })], relationships: [] };
  await db.collection(outboxCollection).insertOne(upsertEvent(claim, { aggregateId: rivalId }));
}

/** Events that are not consumed: an aggregate's first event, a newer one, and a deletion. */
export async function writePendingHistory(client: MongoClient, db: Db): Promise<void> {
  const graphs = tracked(client, db, graph);
  await graphs.insertOne({ _id: 'new', nodes: [file('pending.ts')], relationships: [calls('pending.ts', 'bare.ts')] });
  await graphs.updateOne(
    { _id: 'moved' },
    { $set: { nodes: [file('newer.ts')], relationships: [calls('newer.ts', 'a.ts')] } },
  );
  await graphs.deleteOne({ _id: 'leaving' });
}

/** One more event, which the sweep has never seen. */
export async function writeFresh(db: Db): Promise<void> {
  const fresh = { nodes: [file('fresh.ts')], relationships: [] };
  await db.collection(outboxCollection).insertOne(upsertEvent(fresh, { aggregateId: 'fresh', traceparent }));
}

interface Named extends Document {
  readonly _id: string;
}

function tracked<State>(client: MongoClient, db: Db, definition: AggregateDefinition<State>) {
  return trackCollection<State, Named>(client, db, definition);
}
