import { Double } from 'bson';
import { describe, expect, it } from 'vitest';
import { diff, diffCarefully } from '../../../lib/graph/diff.ts';
import {
  createManifest,
  decodeManifest,
  emptyManifest,
  encodeManifest,
  readLine,
  sharedNodeLine,
} from '../../../lib/graph/manifest.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const owner = 'graph:1';
const user = { label: 'User', key: { id: 'u' } };
const day = (date: string) => ({ label: 'Date', key: { date } });
const event = (date: string, fields: object = {}) => ({ type: 'HAS', key: 'e1', from: user, to: day(date), ...fields });
const manifestOf = (raw: unknown) => createManifest(readSubgraph(raw), owner);

describe('the diff of an aggregate', () => {
  it('is empty if nothing changed, in any order of the elements', () => {
    const nodes = [{ ...user, properties: { a: 1, b: 2 } }, day('01-01')];
    const before = manifestOf({ nodes, relationships: [event('01-01'), event('01-02')] });
    const again = readSubgraph({
      nodes: [day('01-01'), { ...user, properties: { b: 2, a: 1 } }],
      relationships: [event('01-02'), event('01-01')],
    });
    expect(diff(before, again, owner)).toStrictEqual({
      claims: [],
      changedNodes: [],
      releases: [],
      created: [],
      changed: [],
      released: [],
    });
  });

  it('of a new aggregate claims and creates everything it lists', () => {
    const result = diff(emptyManifest, readSubgraph({ nodes: [user], relationships: [event('01-01')] }), owner);
    expect(result).toMatchObject({ releases: [], changed: [], released: [] });
    expect(result.claims).toHaveLength(1);
    expect(result.created).toHaveLength(1);
  });

  it('of a deletion releases everything it listed', () => {
    const result = diff(manifestOf({ nodes: [user], relationships: [event('01-01')] }), null, owner);
    expect(result).toMatchObject({ claims: [], created: [], changed: [] });
    expect(result.releases).toHaveLength(1);
    expect(result.released).toHaveLength(1);
  });

  it('of a move releases the old relationship and creates the new one', () => {
    const result = diff(
      manifestOf({ relationships: [event('01-01')] }),
      readSubgraph({ relationships: [event('01-02')] }),
      owner,
    );
    expect(result.released).toHaveLength(1);
    expect(result.created[0]?.to.key).toStrictEqual({ date: '01-02' });
    expect(result.changed).toHaveLength(0);
  });

  it('of a changed property changes the relationship in place', () => {
    const result = diff(
      manifestOf({ relationships: [event('01-01', { properties: { name: 'a' } })] }),
      readSubgraph({ relationships: [event('01-01', { properties: { name: 'b' } })] }),
      owner,
    );
    expect(result).toMatchObject({ created: [], released: [], changed: [{ type: 'HAS', properties: { name: 'b' } }] });
  });

  it('detects that a FLOAT replaces an equal INTEGER', () => {
    const withValue = (v: unknown) => ({ nodes: [{ ...user, properties: { v } }] });
    const result = diff(manifestOf(withValue(1)), readSubgraph(withValue(new Double(1))), owner);
    expect(result.changedNodes).toHaveLength(1);
  });

  it('changes a node in place if its properties or labels change', () => {
    const before = manifestOf({ nodes: [{ ...user, properties: { name: 'a' } }] });
    const result = diff(before, readSubgraph({ nodes: [{ ...user, labels: ['Person'] }] }), owner);
    expect(result).toMatchObject({ claims: [], releases: [], changedNodes: [{ labels: ['Person'], properties: {} }] });
  });

  it('releases a node that turns from owned to shared, and claims it again', () => {
    const result = diff(manifestOf({ nodes: [user] }), readSubgraph({ nodes: [{ ...user, shared: true }] }), owner);
    expect(result.releases).toMatchObject([{ shared: false }]);
    expect(result.claims.map((claim) => claim.shared)).toMatchObject([true]);
  });

  it('in its careful form, adds and drops shared relationships like any other diff', () => {
    const [left, right] = [event('01-01', { shared: true }), event('01-02', { shared: true })];
    const result = diffCarefully(
      manifestOf({ relationships: [left] }),
      readSubgraph({ relationships: [right, event('01-03')] }),
      owner,
    );
    expect(result).toMatchObject({
      changed: [],
      created: [{ to: { key: { date: '01-03' } } }, { to: { key: { date: '01-02' } }, shared: true }],
      released: [{ shared: false }, { shared: true }],
    });
    expect(result.changed).toStrictEqual([]);
  });

  it('in its careful form, claims what it would otherwise change', () => {
    const before = manifestOf({ nodes: [user] });
    const result = diffCarefully(before, readSubgraph({ nodes: [{ ...user, properties: { name: 'a' } }] }), owner);
    expect(result.claims).toHaveLength(1);
    expect(result.changedNodes).toHaveLength(0);
  });

  it('in its careful form, recreates every owned relationship, but counts shared ones once', () => {
    const raw = { relationships: [event('01-01'), event('01-02', { shared: true })] };
    const result = diffCarefully(manifestOf(raw), readSubgraph(raw), owner);
    expect(result.released.map((item) => item.shared)).toStrictEqual([false]);
    expect(result.created.map((item) => item.shared)).toStrictEqual([false]);
  });
});

describe('a manifest', () => {
  it('describes each element in a line', () => {
    const lines = manifestOf({
      nodes: [user, { ...day('01-01'), shared: true }],
      relationships: [event('01-01'), event('01-02', { shared: true })],
    });
    expect(lines.map(readLine)).toMatchObject([
      { kind: 'node', shared: false, endpoint: { label: 'User', key: { id: 'u' } } },
      { kind: 'node', shared: true, endpoint: { label: 'Date', key: { date: '01-01' } } },
      { kind: 'relationship', shared: false, type: 'HAS', id: expect.stringMatching(/^[\w-]{16}$/) },
      { kind: 'relationship', shared: true, type: 'HAS', id: expect.stringMatching(/^[\w-]{16}$/) },
    ]);
    expect(lines.map((line) => line.slice(0, 2))).toStrictEqual(['n ', 's ', 'r ', 't ']);
    expect(lines[1]).toBe(sharedNodeLine('["Date",[["date","s01-01"]]]'));
  });

  it('is the same after it is encoded and decoded', () => {
    const manifest = manifestOf({
      nodes: [
        { label: 'A', key: { i: 9007199254740993n, b: false, s: 'i5' } },
        { label: 'B', key: { id: '' }, shared: true },
      ],
      relationships: [event('01-01'), event('01-01', { key: 'e2', shared: true })],
    });
    expect(decodeManifest(encodeManifest(manifest))).toStrictEqual(manifest);
  });
});
