import { describe, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { type FoundNode, labelChanges, settleNode } from '../../../lib/graph/settle-node.ts';
import type { NodeSum } from '../../../lib/graph/sum-diffs.ts';

const sum = (fields: Partial<NodeSum> = {}): NodeSum => ({
  endpoint: { label: 'File', key: { path: 'a' }, identity: '["File",[["path","sa"]]]' },
  disowners: [],
  owners: [],
  sharers: [],
  sharesDelta: 0,
  ...fields,
});
const found = (fields: Partial<FoundNode> = {}): FoundNode => ({ owner: null, shares: 0, labels: ['File'], ...fields });
const claim = (key: string, second = 1, fields: object = {}) => ({
  key,
  position: toPosition({ t: second, i: 1 }),
  labels: [],
  properties: {},
  ...fields,
});

describe('a node with a new owner', () => {
  it('has its key, the listed properties and labels, and nothing of its earlier state', () => {
    const owners = [claim('graph:1', 1, { labels: ['New'], properties: { size: 1n } })];
    expect(settleNode(sum({ owners }), found({ labels: ['File', 'Old'] }))).toMatchObject({
      outcome: 'settled',
      properties: { size: 1n, _outgraph: true, _outgraphOwner: 'graph:1' },
      addedLabels: ['New'],
      removedLabels: ['Old'],
      unlisted: false,
    });
  });

  it('can come from an aggregate that releases it in the same batch', () => {
    const outcome = settleNode(
      sum({ owners: [claim('graph:2')], disowners: ['graph:1'] }),
      found({ owner: 'graph:1' }),
    );
    expect(outcome).toMatchObject({ outcome: 'settled', properties: { _outgraphOwner: 'graph:2' } });
  });

  it('gets only the labels that it lacks, and keeps its keyed label', () => {
    expect(labelChanges('File', ['File', 'A', 'B'], ['B', 'C'])).toStrictEqual({
      addedLabels: ['C'],
      removedLabels: ['A'],
    });
  });
});

describe('a new node', () => {
  it('has no labels to remove', () => {
    expect(settleNode(sum({ owners: [claim('graph:1', 1, { labels: ['A'] })] }), null)).toStrictEqual({
      outcome: 'settled',
      properties: { _outgraph: true, _outgraphOwner: 'graph:1' },
      addedLabels: ['A'],
      removedLabels: [],
      unlisted: false,
    });
  });

  it('can be shared by several aggregates at once', () => {
    expect(settleNode(sum({ sharers: ['graph:1', 'graph:2'], sharesDelta: 2 }), null)).toMatchObject({
      outcome: 'settled',
      properties: { _outgraph: true, _outgraphShares: 2n },
      unlisted: false,
    });
  });
});

describe('a node that no aggregate lists any more', () => {
  it('keeps only its key', () => {
    expect(
      settleNode(sum({ disowners: ['graph:1'] }), found({ owner: 'graph:1', labels: ['File', 'Old'] })),
    ).toStrictEqual({
      outcome: 'settled',
      properties: { _outgraph: true },
      addedLabels: [],
      removedLabels: ['Old'],
      unlisted: true,
    });
  });

  it('is unlisted only once its last share is gone', () => {
    const outcomeFrom = (shares: number) => settleNode(sum({ sharesDelta: -1 }), found({ shares }));
    expect(outcomeFrom(2)).toMatchObject({ unlisted: false, properties: { _outgraphShares: 1n } });
    expect(outcomeFrom(1)).toMatchObject({ unlisted: true });
  });
});

describe('an ownership conflict', () => {
  it.each([
    [
      'a second owner',
      sum({ owners: [claim('graph:2')] }),
      found({ owner: 'graph:1' }),
      [{ refused: 'graph:2', holder: 'graph:1', heldInGraph: true }],
    ],
    [
      'a sharer of an owned node',
      sum({ sharers: ['graph:2'], sharesDelta: 1 }),
      found({ owner: 'graph:1' }),
      [{ refused: 'graph:2', holder: 'graph:1' }],
    ],
    [
      'an owner of a shared node',
      sum({ owners: [claim('graph:2')] }),
      found({ shares: 1 }),
      [{ refused: 'graph:2', holder: null, heldInGraph: true }],
    ],
    [
      'the later of two owners in one batch',
      sum({ owners: [claim('graph:1', 1), claim('graph:2', 2)] }),
      null,
      [{ refused: 'graph:2', holder: 'graph:1', heldInGraph: false }],
    ],
    [
      'a sharer and an owner in one batch',
      sum({ owners: [claim('graph:1')], sharers: ['graph:2'], sharesDelta: 1 }),
      null,
      [{ refused: 'graph:2', holder: 'graph:1', heldInGraph: false }],
    ],
    [
      'an owner while one of two sharers remains',
      sum({ owners: [claim('graph:3')], sharesDelta: -1 }),
      found({ shares: 2 }),
      [{ refused: 'graph:3', holder: null }],
    ],
  ])('refuses %s, and names element and holder', (_, given, state, conflicts) => {
    expect(settleNode(given, state)).toMatchObject({
      outcome: 'conflict',
      conflicts: conflicts.map((conflict) => ({
        code: 'ownership-conflict',
        sharedNode: conflict.holder === null ? given.endpoint.identity : null,
        ...conflict,
        element: 'File {path: "a"}',
      })),
    });
  });

  it('names every key property of the element, as in Cypher', () => {
    const endpoint = { label: 'File', key: { line: 5n, ok: true, path: 'a' }, identity: 'x' };
    expect(settleNode(sum({ endpoint, owners: [claim('graph:2')] }), found({ owner: 'graph:1' }))).toMatchObject({
      conflicts: [{ element: 'File {line: 5, ok: true, path: "a"}', sharedNode: null }],
    });
  });

  it('does not arise if the last sharer becomes the owner', () => {
    expect(settleNode(sum({ owners: [claim('graph:1')], sharesDelta: -1 }), found({ shares: 1 }))).toMatchObject({
      outcome: 'settled',
    });
  });

  it('does not arise if the owner changes what it lists', () => {
    expect(settleNode(sum({ owners: [claim('graph:1')] }), found({ owner: 'graph:1' }))).toMatchObject({
      outcome: 'settled',
    });
  });
});

it('a node that another aggregate recreated stays with its owner', () => {
  expect(settleNode(sum({ disowners: ['graph:1'] }), found({ owner: 'graph:2' }))).toStrictEqual({ outcome: 'kept' });
});
