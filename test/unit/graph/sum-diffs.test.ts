import { describe, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { diff } from '../../../lib/graph/diff.ts';
import { createManifest, emptyManifest } from '../../../lib/graph/manifest.ts';
import { isClaimed, sumDiffs } from '../../../lib/graph/sum-diffs.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const a = { label: 'A', key: { id: 1 } };
const shared = { type: 'NEAR', from: a, to: a, shared: true };
const change = (key: string, before: unknown, after: unknown, second = 1) => ({
  key,
  position: toPosition({ t: second, i: 1 }),
  diff: diff(
    before === null ? emptyManifest : createManifest(readSubgraph(before), key),
    after === null ? null : readSubgraph(after),
    key,
  ),
});

describe('the sum of a batch', () => {
  it('writes a node once if one aggregate releases it and another claims it', () => {
    const sum = sumDiffs([change('graph:1', { nodes: [a] }, null), change('graph:2', null, { nodes: [a] })]);
    expect(sum.nodes).toMatchObject([{ disowners: ['graph:1'], owners: [{ key: 'graph:2' }] }]);
  });

  it('adds up changes of shares', () => {
    const node = { nodes: [{ ...a, shared: true }] };
    const sum = sumDiffs([change('graph:1', null, node), change('graph:2', node, null), change('graph:3', null, node)]);
    expect(sum.nodes).toMatchObject([{ sharesDelta: 1, sharers: ['graph:1', 'graph:3'] }]);
  });

  it('locks a shared relationship that one aggregate drops and another adds, and keeps its count', () => {
    const listed = { relationships: [shared] };
    const sum = sumDiffs([change('graph:1', listed, null), change('graph:2', null, listed)]);
    expect(sum.shared).toMatchObject([{ delta: 0 }]);
  });

  it('changes a node in place only if no other aggregate of the batch names it', () => {
    const [before, after] = [{ nodes: [a] }, { nodes: [{ ...a, properties: { name: 'a' } }] }];
    const alone = sumDiffs([change('graph:1', before, after)]);
    expect({ nodes: alone.nodes, changedNodes: alone.changedNodes }).toMatchObject({
      nodes: [],
      changedNodes: [{ owner: 'graph:1' }],
    });
    const wanted = sumDiffs([change('graph:1', before, after), change('graph:2', null, { nodes: [a] })]);
    expect({ length: wanted.nodes[0]?.owners.length, changedNodes: wanted.changedNodes }).toStrictEqual({
      length: 2,
      changedNodes: [],
    });
  });

  it('distinguishes a listed node from a released one', () => {
    const [listed] = sumDiffs([change('graph:1', null, { nodes: [a] })]).nodes;
    const [shared1] = sumDiffs([change('graph:1', null, { nodes: [{ ...a, shared: true }] })]).nodes;
    const [released] = sumDiffs([change('graph:1', { nodes: [a] }, null)]).nodes;
    expect([listed, shared1, released].map((sum) => sum !== undefined && isClaimed(sum))).toStrictEqual([
      true,
      true,
      false,
    ]);
  });

  it('collects owned relationships and counts shared ones, in the order of their ids', () => {
    const owned = (key: string, fields: object = {}) => ({ type: 'OWNS', from: a, to: a, key, ...fields });
    const near = (key: string) => ({ ...shared, key });
    const sum = sumDiffs([
      change(
        'graph:1',
        { relationships: [owned('x'), owned('y'), near('1')] },
        { relationships: [near('2'), near('3'), owned('z')] },
      ),
      change(
        'graph:2',
        { relationships: [owned('k')] },
        { relationships: [owned('k', { properties: { n: 1 } }), near('2')] },
      ),
      change('graph:3', { relationships: [near('1'), ...[...'abcdefgh'].map((key) => owned(key))] }, null),
    ]);
    const end = expect.objectContaining({ label: 'A', key: { id: 1n } });
    const ends = { from: end, to: end };
    expect(sum.created).toMatchObject([{ type: 'OWNS', shared: false }]);
    expect(sum.changed).toMatchObject([{ type: 'OWNS', properties: { n: 1n } }]);
    expect(sum.released.map(({ type, shared: isShared }) => [type, isShared])).toStrictEqual(
      Array(10).fill(['OWNS', false]),
    );
    expect([...sum.shared].sort((left, right) => left.delta - right.delta)).toStrictEqual([
      { type: 'NEAR', id: expect.any(String), delta: -2, ends: null },
      { type: 'NEAR', id: expect.any(String), delta: 1, ends },
      { type: 'NEAR', id: expect.any(String), delta: 2, ends },
    ]);
    for (const ids of [sum.released, sum.shared].map((items) => items.map(({ id }) => id)))
      expect(ids).toStrictEqual([...ids].sort());
  });

  it('keeps the endpoints of a shared relationship in any order of additions and drops', () => {
    const listed = { relationships: [shared] };
    for (const diffs of [
      [change('graph:1', null, listed), change('graph:2', null, listed), change('graph:3', listed, null)],
      [change('graph:3', listed, null), change('graph:1', null, listed), change('graph:2', null, listed)],
    ])
      expect(sumDiffs(diffs).shared).toMatchObject([{ delta: 1, ends: { from: { label: 'A' }, to: { label: 'A' } } }]);
  });

  it('lists changed nodes in a fixed order', () => {
    const changes = [3, 1, 2].map((id) => {
      const node = { label: 'A', key: { id } };
      return change(`graph:${id}`, { nodes: [node] }, { nodes: [{ ...node, properties: { name: 'a' } }] });
    });
    expect(sumDiffs(changes).changedNodes.map(({ node }) => node.key.id)).toStrictEqual([1n, 2n, 3n]);
  });

  it('lists owners in the order of their events', () => {
    const sum = sumDiffs([change('graph:1', null, { nodes: [a] }, 9), change('graph:2', null, { nodes: [a] }, 3)]);
    expect(sum.nodes[0]?.owners.map((owner) => owner.key)).toStrictEqual(['graph:2', 'graph:1']);
  });

  it('lists nodes in a fixed order, in any order of the aggregates', () => {
    const first = change('graph:1', null, { nodes: [{ label: 'B', key: { id: 2 } }] });
    const second = change('graph:2', null, { nodes: [a] });
    const identities = (diffs: Parameters<typeof sumDiffs>[0]) =>
      sumDiffs(diffs).nodes.map((node) => node.endpoint.identity);
    expect(identities([first, second])).toStrictEqual(identities([second, first]));
  });
});
