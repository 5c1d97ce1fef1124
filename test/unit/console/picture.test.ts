import { describe, expect, it } from 'vitest';
import type { AggregateView, NodeView, RelationshipView, SubgraphView } from '../../../cli/show/aggregate-view.ts';
import { toAggregateMessage } from '../../../console/server/aggregate-message.ts';
import { compareViews } from '../../../console/server/compare-views.ts';
import { drawPicture } from '../../../console/server/draw-picture.ts';
import { nodeIdentity } from '../../../lib/contract/identity.ts';
import type { GraphProperties } from '../../../lib/contract/subgraph.ts';

function node(name: string, properties: GraphProperties = {}, fields: Partial<NodeView> = {}): NodeView {
  const identity = nodeIdentity({ label: 'Symbol', key: { name } });
  return { identity, labels: ['Symbol'], properties: { name, ...properties }, hold: 'owned', ...fields };
}

function relationship(from: NodeView, to: NodeView, properties: GraphProperties = {}): RelationshipView {
  return { id: `${from.identity} to ${to.identity}`, type: 'CALLS', from: from.identity, to: to.identity, properties };
}

function view(
  expected: SubgraphView | null,
  standing: SubgraphView,
  fields: Partial<AggregateView> = {},
): AggregateView {
  return {
    aggregateType: 'graph',
    aggregateId: 'x',
    search: 'found',
    document: {},
    expected,
    fault: null,
    events: [],
    registry: null,
    standing,
    isInFlight: false,
    differences: [],
    ...fields,
  };
}

const only = (...nodes: readonly NodeView[]): SubgraphView => ({ nodes, relationships: [] });
const draw = (one: AggregateView, limits?: Parameters<typeof drawPicture>[1]) => drawPicture(compareViews(one), limits);
const marksOf = (one: AggregateView) => compareViews(one).nodes.map(({ mark }) => mark);

describe('an element is marked', () => {
  it.each([
    ['same', [node('a', { line: 1n })], [node('a', { line: 1n })]],
    ['missing', [node('a')], []],
    ['extra', [], [node('a')]],
    ['changed', [node('a', { line: 1n })], [node('a', { line: 2n })]],
    ['changed', [node('a', { line: 1n })], [node('a')]],
    ['changed', [node('a', {}, { labels: ['Symbol', 'Public'] })], [node('a')]],
  ] as const)('%s', (mark, expected, standing) => {
    expect(marksOf(view(only(...expected), only(...standing)))).toStrictEqual([mark]);
  });

  it.each([
    ['a text', '1', 1n],
    ['a float', 1, 1n],
    ['minus zero', -0, 0],
    ['a list', [1n], 1n],
    ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ] as const)('changed if only the type of the value differs: %s', (_, document, standing) => {
    expect(marksOf(view(only(node('a', { v: document })), only(node('a', { v: standing }))))).toStrictEqual([
      'changed',
    ]);
  });

  it.each(['shared', 'end'] as const)('same if others add to a node that the aggregate does not own: %s', (hold) => {
    const standing = node('a', { line: 2n }, { hold, labels: ['Symbol', 'Public'] });
    expect(marksOf(view(only(node('a', {}, { hold })), only(standing)))).toStrictEqual(['same']);
  });

  it('unknown if the state of the document is unknown', () => {
    const fault = { code: 'payload-invalid', reason: 'wrong' } as const;
    expect(marksOf(view(null, only(node('a')), { fault }))).toStrictEqual(['unknown']);
    expect(marksOf(view(null, only(node('a')), { search: 'not-found' }))).toStrictEqual(['unknown']);
  });

  it('changed if a relationship was recreated between other nodes', () => {
    const [a, b, c] = [node('a'), node('b'), node('c')];
    const expected = relationship(a, b);
    const compared = compareViews(
      view(
        { nodes: [a, b, c], relationships: [expected] },
        { nodes: [a, b, c], relationships: [{ ...expected, to: c.identity }] },
      ),
    );
    expect(compared.relationships).toMatchObject([
      { mark: 'changed', facts: [{ name: 'to', document: 'Symbol name=b', graph: 'Symbol name=c' }] },
    ]);
  });
});

describe('the picture', () => {
  const nodes = ['a', 'b', 'c'].map((name) => node(name));
  const chain = (all: readonly NodeView[]): SubgraphView => ({
    nodes: all,
    relationships: all.slice(1).map((to, index) => relationship(all[index] ?? to, to)),
  });

  it('gives each element of either side its own place', () => {
    const { nodes: drawn, width, height } = draw(view(chain(nodes), only(nodes[0] ?? node('a'))));
    expect(drawn.map(({ inDocument, inGraph }) => [inDocument, inGraph])).toStrictEqual([
      [true, true],
      [true, false],
      [true, false],
    ]);
    const places = drawn.map(({ x, y }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(3);
    for (const { x, y } of drawn) expect(x > 0 && x < width && y > 0 && y < height).toBe(true);
  });

  it('keeps the places of elements when one begins to differ', () => {
    const places = (standing: SubgraphView) =>
      draw(view(chain(nodes), standing)).nodes.map(({ id, x, y }) => [id, x, y]);
    expect(places(chain(nodes.slice(0, 2)))).toStrictEqual(places(chain(nodes)));
  });

  it('leaves out elements beyond a limit, and differences last', () => {
    const many = Array.from({ length: 50 }, (_, index) => node(`n${index}`));
    const picture = draw(view(chain(many), chain(many.slice(0, 49))), { nodes: 10, relationships: 5 });
    expect(picture.nodes).toHaveLength(10);
    expect(picture.nodes.filter(({ mark }) => mark === 'missing')).toHaveLength(1);
    expect(picture.relationships.filter(({ mark }) => mark === 'missing')).toHaveLength(1);
    expect(picture.leftOut).toBe(50 + 49 - 10 - picture.relationships.length);
  });

  it('draws a node without a key, and an empty picture', () => {
    const lost: NodeView = { identity: 'start of r1', labels: [], properties: {}, hold: 'end' };
    expect(draw(view(only(), only(lost))).nodes).toMatchObject([{ label: 'start of r1', key: '' }]);
    expect(draw(view(only(), only()))).toMatchObject({ nodes: [], width: 0, height: 0 });
  });

  it('shortens keys to the part that distinguishes nodes of a label', () => {
    const keyed = (name: string) => {
      const key = { file: 'src/a/very/long/path/to/some/file.ts', name };
      return node(name, {}, { identity: nodeIdentity({ label: 'Symbol', key }) });
    };
    const keys = (...all: readonly NodeView[]) => draw(view(only(...all), only())).nodes.map(({ key }) => key);
    expect(keys(keyed('parse'), keyed('read'))).toStrictEqual(['parse', 'read']);
    expect(keys(keyed('parse'))).toStrictEqual(['src/a/very/long/path/to/s…']);
  });
});

it('differences name elements in readable form', () => {
  const element = nodeIdentity({ label: 'Symbol', key: { name: 'a' } });
  const differences = [
    { kind: 'missing', aggregate: 'graph:x', element, reason: 'It is missing.' },
    { kind: 'unowned', aggregate: null, element: 'CALLS r1', reason: 'No aggregate lists it.' },
  ] as const;
  const message = toAggregateMessage(view(only(node('a')), only(), { differences }));
  expect(message.differences.map((one) => one.element)).toStrictEqual(['Symbol name=a', 'CALLS r1']);
});
