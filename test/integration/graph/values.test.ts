/**
 * Every row of docs/reference/values.md: a value is written by a tracked collection, read from the
 * outbox with the row's schema, and applied.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Binary, BSON, type Db, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { type Driver, isDateTime, isPoint } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exactTypes } from '../../../lib/contract/exact-types.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { ProjectedValue } from '../../../lib/contract/subgraph.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { type AggregateDefinition, defineAggregate, documentId } from '../../../lib/projection/define-aggregate.ts';
import { storedNumber } from '../../../lib/projection/stored-number.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { openConsumer } from '../../support/consume-events.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { servers } from '../../support/servers.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

interface Row {
  /** The row's first column. */
  readonly stored: string;
  readonly value?: unknown;
  readonly schema: z.ZodType;
  /** Neo4j's type of the property. */
  readonly type?: string;
  /** The property, if it is not the value itself. */
  readonly property?: unknown;
  /** The code with which writer and consumer refuse the value. */
  readonly refused?: string;
}

const any = z.any();
const id = new ObjectId('66a0c0ffee0123456789abcd');
const uuid = new UUID('01234567-89ab-4def-8123-456789abcdef');
const moment = new Date('2024-02-29T12:30:00.123Z');
const unsupported = 'value-unsupported';
const [text, integer, float] = ['STRING', 'INTEGER', 'FLOAT'];

const geoJsonPoint = z.object({ type: z.literal('Point'), coordinates: z.array(z.number()) });
const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });

const rows: readonly Row[] = [
  { stored: 'string', value: 'Ada', schema: z.string(), type: text },
  { stored: 'boolean', value: true, schema: z.boolean(), type: 'BOOLEAN' },
  { stored: 'int32', value: new Int32(7), schema: z.number(), type: integer, property: 7n },
  { stored: 'int32', value: new Int32(7), schema: z.int(), type: integer, property: 7n },
  {
    stored: 'int64 up to 2^53',
    value: Long.fromNumber(2 ** 40),
    schema: z.number(),
    type: integer,
    property: 2n ** 40n,
  },
  { stored: 'int64 up to 2^53', value: Long.fromNumber(2 ** 40), schema: z.int(), type: integer, property: 2n ** 40n },
  { stored: 'int64 beyond 2^53', value: Long.MAX_VALUE, schema: z.bigint(), type: integer, property: 2n ** 63n - 1n },
  { stored: 'int64 beyond 2^53', value: Long.MAX_VALUE, schema: z.number(), refused: 'payload-invalid' },
  { stored: 'double', value: new Double(0.1), schema: z.number(), type: float, property: 0.1 },
  { stored: 'double without a fraction', value: new Double(1), schema: z.number(), type: integer, property: 1n },
  { stored: 'double without a fraction', value: new Double(1), schema: z.int(), type: integer, property: 1n },
  { stored: 'any number', value: new Int32(1), schema: storedNumber, type: integer, property: 1n },
  { stored: 'any number', value: Long.MIN_VALUE, schema: storedNumber, type: integer, property: -(2n ** 63n) },
  { stored: 'any number', value: new Double(1), schema: storedNumber, type: float, property: 1 },
  { stored: 'Decimal128', value: new Decimal128('1.50'), schema: z.coerce.string(), type: text, property: '1.50' },
  { stored: 'Decimal128', value: new Decimal128('1.50'), schema: any, refused: unsupported },
  { stored: 'date', value: moment, schema: z.date(), type: 'ZONED DATETIME', property: '2024-02-29T12:30:00.123Z' },
  { stored: 'ObjectId', value: id, schema: z.custom<ObjectId>(), type: text, property: id.toHexString() },
  {
    stored: 'UUID (binary, subtype 4)',
    value: uuid,
    schema: z.custom<Binary>(),
    type: text,
    property: uuid.toString(),
  },
  { stored: 'other binary', value: new Binary(new Uint8Array(3)), schema: z.custom<Binary>(), refused: unsupported },
  {
    stored: 'GeoJSON Point',
    value: point(7.68, 45.07),
    schema: geoJsonPoint,
    type: 'POINT',
    property: [4326, 7.68, 45.07],
  },
  { stored: 'GeoJSON Point', value: point(180, 90), schema: geoJsonPoint, type: 'POINT', property: [4326, 180, 90] },
  {
    stored: 'GeoJSON Point',
    value: point(-180, -90),
    schema: geoJsonPoint,
    type: 'POINT',
    property: [4326, -180, -90],
  },
  { stored: 'GeoJSON Point', value: point(1, 2, 3.5), schema: any, type: 'POINT', property: [4979, 1, 2, 3.5] },
  { stored: 'GeoJSON Point', value: point(181, 2), schema: geoJsonPoint, refused: unsupported },
  { stored: 'other GeoJSON', value: { type: 'Polygon', coordinates: [] }, schema: any, refused: unsupported },
  { stored: 'array of one kind', value: ['a', 'b'], schema: z.array(z.string()), type: 'LIST<STRING NOT NULL>' },
  {
    stored: 'array of integers and doubles',
    value: [new Int32(1), new Double(0.5)],
    schema: z.array(z.number()),
    type: 'LIST<FLOAT NOT NULL>',
    property: [1, 0.5],
  },
  { stored: 'array of different kinds', value: ['a', true], schema: z.array(any), refused: unsupported },
  { stored: 'empty array', value: [], schema: z.array(z.string()), type: 'LIST<NOTHING>' },
  { stored: 'null', value: null, schema: z.string().nullish(), type: 'NULL', property: null },
  { stored: 'missing', schema: z.string().nullish(), type: 'NULL', property: null },
  { stored: 'nested document', value: { city: 'Turin' }, schema: z.object({ city: z.string() }), refused: unsupported },
  { stored: 'other types', value: /a/, schema: any, refused: unsupported },
  { stored: 'other types', value: new Timestamp({ t: 1, i: 1 }), schema: any, refused: unsupported },
];

const definitions = rows.map(
  ({ schema }, index): AggregateDefinition =>
    defineAggregate({
      type: `value-${index}`,
      collection: `values_${index}`,
      id: documentId,
      payload: z.object({ value: schema.optional() }),
      declares: { labels: { Value: ['id'] }, types: [] },
      project: ({ value }, key) => ({
        nodes: [{ label: 'Value', key: { id: key }, properties: { value: value as ProjectedValue } }],
        relationships: [],
      }),
    }),
);

let database: TestDatabase;
let driver: Driver;
let consumer: ReturnType<typeof openConsumer>;
let outbox: ReturnType<Db['collection']>;
beforeAll(async () => {
  database = await createTestDatabase();
  driver = connectGraph(servers);
  consumer = openConsumer(database.settings, createCatalog(definitions));
  outbox = database.db.collection(outboxCollection);
});
afterAll(async () => {
  await driver.executeQuery('MATCH (n:Value) DETACH DELETE n');
  await consumer.close();
  await driver.close();
  await database.drop();
});

const cases = rows.map((row, index) => [row.stored, index, row] as const);

describe('a stored value', () => {
  it.each(
    cases.filter(([, , { refused }]) => refused === undefined),
  )('reaches the graph: %s (row %i)', async (_, index, row) => {
    const _id = new ObjectId();
    await write(index, { _id, ...('value' in row && { value: row.value }) });
    const event = await outbox.findOne({ aggregateId: String(_id) });
    await consumer.consume([event?._id as ObjectId]);
    const { records } = await driver.executeQuery(
      'MATCH (n:Value {id: $id}) RETURN n.value AS value, valueType(n.value) AS type',
      { id: String(_id) },
    );
    const { value, type } = records[0]?.toObject() ?? {};
    expect(type.replace(/ NOT NULL$/, '')).toBe(row.type);
    expect(plain(value)).toStrictEqual('property' in row ? row.property : row.value);
  });

  it.each(
    cases.filter(([, , { refused }]) => refused !== undefined),
  )('is refused by the writer and by the consumer: %s (row %i)', async (_, index, { value, refused }) => {
    await expect(write(index, { _id: new ObjectId(), value })).rejects.toMatchObject({ code: refused });
    const event = upsertEvent({ value }, { aggregateType: `value-${index}`, aggregateId: String(new ObjectId()) });
    await outbox.insertOne(event);
    await consumer.consume([event._id]);
    expect(await outbox.findOne({ _id: event._id })).toMatchObject({ status: 'dead', error: { code: refused } });
  });
});

it('every row of the page is tested', async () => {
  const page = await readFile(path.join(projectRoot, 'docs/reference/values.md'), 'utf8');
  const [table = ''] = page.split('\n\n## ');
  const names = [...table.matchAll(/^\| ([^|]+?) \|/gm)].map(([, name]) => name).slice(1);
  expect(new Set(rows.map(({ stored }) => stored))).toStrictEqual(new Set(names));
});

/** Neo4j's values in a form that a test can state. */
function plain(value: unknown): unknown {
  if (isDateTime(value)) return new Date(value.toString()).toISOString();
  if (!isPoint(value)) return value;
  const { srid, x, y, z: height } = value;
  return [Number(srid), x, y, ...(height === undefined ? [] : [height])];
}

const write = (index: number, document: object) =>
  trackCollection<unknown, { _id: ObjectId; value?: unknown }>(
    database.client,
    database.db,
    definitions[index] as AggregateDefinition,
  ).insertOne(document as { _id: ObjectId });

it.each([
  ['1', 1, Int32],
  ['2^31', 2 ** 31, Double],
  ['2^31 as a bigint', 2n ** 31n, Long],
  ['1.5', 1.5, Double],
  ['1.0', 1.0, Int32],
])('Node.js stores as the page says: %s', (_, value, stored) => {
  expect(BSON.deserialize(BSON.serialize({ value }), exactTypes).value).toBeInstanceOf(stored);
});
