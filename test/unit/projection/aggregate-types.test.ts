/**
 * What the compiler says about aggregate types. `npm run check` compiles this file, and fails at an
 * error that is expected and does not occur.
 */
import { Decimal128, Double, Int32, Long, ObjectId } from 'bson';
import { expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type AggregateDefinition,
  createCatalog,
  defineAggregate,
  documentId,
  endpoint,
  relationship,
} from '../../../exports/outgraph.ts';
import { trackCollection } from '../../../exports/writer.ts';

const payload = z.object({ name: z.string(), shops: z.array(z.object({ id: z.string(), since: z.date() })) });
const base = { type: 'owner', collection: 'owners', id: documentId, payload };
const declares = { labels: { Owner: ['owner_id'], Shop: ['city', 'shop_id'] }, types: ['OWNS'] } as const;

const owner = defineAggregate({
  ...base,
  declares: { labels: { Owner: ['owner_id'], Shop: ['city', 'shop_id'] }, types: ['OWNS'] },
  project: ({ name, shops }, owner_id) => {
    const node = endpoint('Owner', { owner_id });
    return {
      nodes: [{ ...node, labels: ['Person'], properties: { name, age: new Int32(1), tags: ['a'], none: null } }],
      relationships: [
        { type: 'OWNS', from: { label: 'Owner', key: { owner_id } }, to: node },
        ...shops.map(({ id, since }) =>
          relationship('OWNS', node, endpoint('Shop', { city: 'x', shop_id: id }), { properties: { since } }),
        ),
      ],
    };
  },
});

it('state and document of a tracked collection come from the payload schema', () => {
  expectTypeOf(owner).toExtend<AggregateDefinition<z.infer<typeof payload>>>();
  const track = () => trackCollection({} as never, {} as never, owner);
  type Owners = ReturnType<typeof track>;
  const write = (owners: Owners) => [
    owners.findOne({ name: 'Ada' }).then((found) => found?.name satisfies string | undefined),
    owners.insertOne({ name: 'Ada', shops: [] }),
    owners.insertOne({ _id: 'ada', name: 'Ada', shops: [], notRead: 1 }),
    // @ts-expect-error a field that the schema reads is missing
    owners.insertOne({ _id: 'ada', name: 'Ada' }),
    // @ts-expect-error a field has another type
    owners.insertOne({ _id: 'ada', name: 1, shops: [] }),
    // @ts-expect-error a filter by another type
    owners.findOne({ name: 1 }),
  ];
  expect(write).toBeTypeOf('function');
});

it('what is not declared does not compile', () => {
  const key = { owner_id: 'x' };
  const nodes = [
    // @ts-expect-error an undeclared label
    defineAggregate({ ...base, declares, project: () => ({ nodes: [{ label: 'Owmer', key }], relationships: [] }) }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error another name of the key
      project: () => ({ nodes: [{ label: 'Owner', key: { id: 'x' } }], relationships: [] }),
    }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error a part of the key is missing
      project: () => ({ nodes: [{ label: 'Shop', key: { shop_id: 'x' } }], relationships: [] }),
    }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error the key of another label, in a variable
      project: () => ({ nodes: [endpoint('Shop', key)], relationships: [] }),
    }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error no label is declared
      project: ({ name: label }) => ({ nodes: [{ label, key }], relationships: [] }),
    }),
  ];
  const one = endpoint('Owner', key);
  const relationships = [
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error an undeclared relationship type
      project: () => ({ nodes: [], relationships: [{ type: 'OWN', from: one, to: one }] }),
    }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error an undeclared relationship type, in a callback
      project: () => ({ nodes: [], relationships: [...[1].map(() => relationship('OWN', one, one))] }),
    }),
    defineAggregate({
      ...base,
      declares,
      // @ts-expect-error an undeclared label at an end
      project: () => ({ nodes: [], relationships: [relationship('OWNS', one, endpoint('Ownr', key))] }),
    }),
  ];
  expect(createCatalog([nodes[0] as AggregateDefinition])).toBeInstanceOf(Map);
  expect(relationships).toHaveLength(3);
});

it.each([
  // @ts-expect-error an object
  ['an object', () => property({ street: 'x' })],
  // @ts-expect-error a list of objects
  ['a list of objects', () => property([{ street: 'x' }])],
  // @ts-expect-error another geometry
  ['another geometry', () => property({ type: 'Polygon', coordinates: [] })],
  // @ts-expect-error Decimal128
  ['Decimal128', () => property(new Decimal128('1'))],
  // @ts-expect-error unknown
  ['something unknown', () => property({} as unknown)],
  // @ts-expect-error a function
  ['a function', () => property(() => 'x')],
])('a property does not compile if its value is %s', (_, create) => {
  expect(create).not.toThrow();
});

it('a property compiles if its value can be stored', () => {
  const values = [property('x'), property(1), property(1n), property(true), property(new Date()), property(null)];
  const stored = [property(new Double(1)), property(Long.ONE), property(new ObjectId()), property(undefined)];
  const lists = [property([1, new Double(2)]), property(['a'] as readonly string[])];
  const points = [property({ type: 'Point', coordinates: [7.68, 45.07] })];
  expect([...values, ...stored, ...lists, ...points]).toHaveLength(13);
});

it('without a declaration, or with one of unknown names, any name compiles', () => {
  const project = () => ({ nodes: [{ label: 'Any', key: { id: 'x' } }], relationships: [] });
  const labels: Record<string, string[]> = { Any: ['id'] };
  expect(defineAggregate({ ...base, project }).type).toBe('owner');
  expect(defineAggregate({ ...base, declares: { labels, types: [] }, project }).type).toBe('owner');
  expect(defineAggregate({ ...owner, type: 'other' }).type).toBe('other');
});

type Value = NonNullable<ReturnType<AggregateDefinition['project']>['nodes'][number]['properties']>[string];

function property(value: Value): AggregateDefinition {
  return defineAggregate({
    ...base,
    declares,
    project: (_, owner_id) => ({
      nodes: [{ label: 'Owner', key: { owner_id }, properties: { value } }],
      relationships: [],
    }),
  });
}
