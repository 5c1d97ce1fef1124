import { expect, it } from 'vitest';
import type { AggregateView } from '../../../cli/show/aggregate-view.ts';
import { showText, verdictText } from '../../../cli/show/text.ts';
import type { Position } from '../../../lib/contract/position.ts';

const position = '6745f00000000001' as Position;
const user = '["User",[["user_id","sada"]]]';
const subgraph: AggregateView['standing'] = {
  nodes: [
    {
      identity: user,
      labels: ['Person', 'User'],
      properties: { user_id: 'ada', age: 3n, bio: 'x'.repeat(200) },
      hold: 'owned',
    },
    { identity: '["Date",[["date","s12-10"]]]', labels: ['Date'], properties: { date: '12-10' }, hold: 'end' },
  ],
  relationships: [{ id: 'r1', type: 'BORN', from: user, to: '["Date",[["date","s12-10"]]]', properties: {} }],
};
const view: AggregateView = {
  aggregateType: 'person',
  aggregateId: 'ada',
  search: 'found',
  document: { _id: 'ada', note: 'a\u009bb' },
  expected: subgraph,
  fault: null,
  events: [
    {
      eventId: '1',
      operation: 'upsert',
      position,
      status: 'processed',
      attempts: 0,
      createdAt: new Date('2026-11-25T12:00:00Z'),
      processedAt: new Date('2026-11-25T12:00:00.250Z'),
      deadAt: null,
      error: null,
    },
  ],
  registry: { position, deleted: false, elements: 2 },
  standing: subgraph,
  isInFlight: false,
  differences: [],
};

it('shows an equal aggregate once, with long values cut and control characters escaped', () => {
  expect(showText(view)).toBe(`person ada

Document
  {
    "_id": "ada",
    "note": "a\\u009bb"
  }

Events
  position          written               operation  status
  6745f00000000001  2026-11-25T12:00:00Z  upsert     processed  settled after 250 ms

Registry
  position 6745f00000000001, written 2024-11-26T15:57:52Z; 2 elements

In the graph, equal to the document
  owned   (:User {user_id: "ada"}) :Person {age: 3, bio: "${'x'.repeat(99)}…}
  end     (:Date {date: "12-10"})
  (:User {user_id: "ada"})-[:BORN]->(:Date {date: "12-10"})

Differences
  None.

The graph matches the document.`);
});

it('shows a different aggregate twice, and each difference with its element', () => {
  const text = showText({
    ...view,
    standing: { nodes: [], relationships: [] },
    differences: [
      { kind: 'stale', aggregate: 'person:ada', element: null, reason: 'Older.' },
      { kind: 'changed', aggregate: 'person:ada', element: user, reason: 'Gone.' },
      { kind: 'missing', aggregate: 'person:ada', element: 'BORN r1', reason: 'Not yet.' },
    ],
  });
  expect(text).toContain('Projected document\n  owned   (:User');
  expect(text).toContain(`In the graph
  Nothing.

Differences
  stale    Older.
  changed  (:User {user_id: "ada"})  Gone.
  missing  (:User {user_id: "ada"})-[:BORN]->(:Date {date: "12-10"})  Not yet.

The graph does not match the document.`);
});

it('cuts a list of hundreds of elements, and says how to get all', () => {
  const nodes = Array.from({ length: 60 }, (_, index) => ({
    identity: `["User",[["user_id","s${index}"]]]`,
    labels: ['User'],
    properties: { user_id: `${index}` },
    hold: 'owned' as const,
  }));
  expect(showText({ ...view, standing: { nodes, relationships: [] } })).toContain('… and 10 more: --json has all');
});

it.each<readonly [string, Partial<AggregateView>, string]>([
  ['deleted', { document: null, search: 'absent' }, 'There is no document, and the graph has nothing of it.'],
  ['not searched completely', { document: null, search: 'not-found' }, 'Run it without --no-walk'],
  ['in flight', { isInFlight: true }, 'An event is pending: run it again in a moment.'],
])('the verdict of an aggregate that is %s says so', (_, fields, text) => {
  expect(verdictText({ ...view, ...fields })).toContain(text);
});

it('says why a document can never be applied, with the code', () => {
  const fault = { code: 'payload-invalid', reason: 'payload.date: bad' } as const;
  expect(showText({ ...view, expected: null, fault })).toContain(
    'It can never be applied: payload.date: bad (payload-invalid)',
  );
});

it('shows the error of a projection with its message and place', () => {
  const trace = 'Error: no such field\n    at project (/app/catalog.ts:7:11)';
  const fault = { code: 'projection-failed', reason: 'The projection of "person" threw Error.', trace } as const;
  expect(showText({ ...view, expected: null, fault })).toContain(`threw Error. (projection-failed)
    Error: no such field
        at project (/app/catalog.ts:7:11)`);
});

it('shows all digits of a 64-bit integer, and distinguishes numbers from text', () => {
  const properties = { user_id: 9_223_372_036_854_775_807n, text: '17', whole: 17, at: new Date(0) };
  const node = {
    identity: '["User",[["user_id","i9223372036854775807"]]]',
    labels: ['User'],
    properties,
    hold: 'owned' as const,
  };
  const standing = { nodes: [node], relationships: [] };
  expect(showText({ ...view, standing, expected: standing })).toContain(
    '(:User {user_id: 9223372036854775807}) {at: 1970-01-01T00:00:00.000Z, text: "17", whole: 17.0}',
  );
});
