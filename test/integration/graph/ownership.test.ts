/** Ownership, foreign data and tombstones on a real Neo4j. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import type { BatchResults } from '../../../lib/graph/apply-batch.ts';
import { joinGraph } from '../../../lib/graph/wiring.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { listTombstones, removeTombstones } from '../../../lib/sweep/neo4j-tombstones.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { clearGraph } from '../../support/clear-graph.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { servers } from '../../support/servers.ts';

const driver = connectGraph(servers);
const label = `Own${randomBytes(4).toString('hex')}`;
const graph = joinGraph(driver, 'neo4j');
const counts = { second: 0, id: 0 };
const nextId = () => {
  counts.id += 1;
  return counts.id;
};
const nextSecond = () => {
  counts.second += 1;
  return counts.second;
};
beforeAll(() => setUpGraph(driver, 'neo4j', catalog, testOutboxId));
afterAll(async () => {
  await clearGraph(driver, [label], `graph:${label}`);
  await driver.close();
});

const aggregate = () => `graph:${label}-${nextId()}`;
const node = (fields: object = {}) => ({ label, key: { id: `${nextId()}` }, ...fields });
const state = (key: string, raw: unknown) => ({
  key,
  position: toPosition({ t: nextSecond(), i: 1 }),
  subgraph: raw === null ? null : readSubgraph(raw),
});
async function apply(...states: ReturnType<typeof state>[]): Promise<readonly unknown[]> {
  const results: BatchResults = new Map();
  await graph.applyBatch(states, results);
  return states.map(({ key }) => results.get(key));
}
const propertiesOf = async (id: string) =>
  (
    await driver.executeQuery(`MATCH (n:${label} {id: $id}) RETURN properties(n) AS properties, labels(n) AS labels`, {
      id,
    })
  ).records.map((record) => record.toObject());

describe('a node that another aggregate owns', () => {
  it('is refused, unless the owner releases it in the same batch', async () => {
    const [holder, claimant, wanted] = [aggregate(), aggregate(), node()];
    await apply(state(holder, { nodes: [wanted] }));
    expect(await apply(state(claimant, { nodes: [wanted] }))).toMatchObject([
      { outcome: 'conflict', conflict: { refused: claimant, holder } },
    ]);
    expect(await apply(state(claimant, { nodes: [wanted] }), state(holder, null))).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
    expect(await propertiesOf(wanted.key.id)).toMatchObject([{ properties: { _outgraphOwner: claimant } }]);
  });

  it('can be swapped for another one between two owners', async () => {
    const [leftoverLabel, right, one, two] = [aggregate(), aggregate(), node(), node()];
    await apply(state(leftoverLabel, { nodes: [one] }), state(right, { nodes: [two] }));
    expect(await apply(state(leftoverLabel, { nodes: [two] }), state(right, { nodes: [one] }))).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });

  it('is refused if it is shared, and one of its sharers is named', async () => {
    const [sharer, claimant, wanted] = [aggregate(), aggregate(), node()];
    await apply(state(sharer, { nodes: [{ ...wanted, shared: true }] }));
    const [refused] = await apply(state(claimant, { nodes: [wanted] }));
    expect(refused).toMatchObject({ outcome: 'conflict', conflict: { holder: null } });
    const { sharedNode } = (refused as { conflict: { sharedNode: string } }).conflict;
    expect(await graph.findSharers([sharedNode])).toStrictEqual([sharer]);
  });
});

describe('a foreign node', () => {
  it('stays unchanged when a relationship is attached and removed', async () => {
    const [owner, foreign] = [aggregate(), node()];
    await driver.executeQuery(`CREATE (:${label}:Theirs {id: $id, name: 'kept'})`, foreign.key);
    const before = await propertiesOf(foreign.key.id);
    await apply(state(owner, { relationships: [{ type: 'NEAR', from: foreign, to: node() }] }));
    await apply(state(owner, null));
    expect(await propertiesOf(foreign.key.id)).toStrictEqual(before);
  });

  it('is adopted when listed, and becomes bare while a foreign relationship keeps it', async () => {
    const [owner, foreign] = [aggregate(), node()];
    await driver.executeQuery(
      `CREATE (:${label}:Theirs {id: $id, name: 'theirs'})-[:FOREIGN]->(:${label} {id: $other})`,
      { ...foreign.key, other: `f${foreign.key.id}` },
    );
    await apply(state(owner, { nodes: [{ ...foreign, properties: { name: 'ours' } }] }));
    expect(await propertiesOf(foreign.key.id)).toMatchObject([{ properties: { name: 'ours' }, labels: [label] }]);
    await apply(state(owner, null));
    expect(await propertiesOf(foreign.key.id)).toStrictEqual([
      { properties: { id: foreign.key.id, _outgraph: true }, labels: [label] },
    ]);
  });
});

describe('a node that another client removed', () => {
  it('is recreated with its relationships when its owner changes it', async () => {
    const [owner, removed, other] = [aggregate(), node(), node()];
    const subgraph = (name: string) => ({
      nodes: [{ ...removed, labels: ['Kept'], properties: { name } }],
      relationships: [{ type: 'NEAR', from: removed, to: other, properties: { name } }],
    });
    await apply(state(owner, subgraph('a')));
    await driver.executeQuery(`MATCH (n:${label} {id: $id}) DETACH DELETE n`, removed.key);
    expect(await apply(state(owner, subgraph('b')))).toMatchObject([{ outcome: 'applied' }]);
    expect(await propertiesOf(removed.key.id)).toMatchObject([
      { properties: { name: 'b', _outgraphOwner: owner }, labels: expect.arrayContaining([label, 'Kept']) },
    ]);
    const { records } = await driver.executeQuery(
      `MATCH (:${label} {id: $id})-[r:NEAR]->() RETURN r.name AS name`,
      removed.key,
    );
    expect(records.map((record) => record.get('name'))).toStrictEqual(['b']);
  });
});

describe('a position', () => {
  it.each([
    ['2038', 2 ** 31 - 1, 2 ** 31],
    ['the end of unsigned seconds', 2 ** 32 - 2, 2 ** 32 - 1],
  ])('orders events across %s', async (_, before, after) => {
    const [key, moved] = [aggregate(), node()];
    const at = (t: number, name: string) => ({
      key,
      position: toPosition({ t, i: 1 }),
      subgraph: readSubgraph({ nodes: [{ ...moved, properties: { name } }] }),
    });
    await apply(at(before, 'earlier'));
    expect(await apply(at(after, 'later'))).toMatchObject([{ outcome: 'applied' }]);
    expect(await apply(at(before, 'earlier'))).toMatchObject([{ outcome: 'superseded' }]);
    expect(await propertiesOf(moved.key.id)).toMatchObject([{ properties: { name: 'later' } }]);
  });
});

describe('a tombstone', () => {
  it('rejects a late upsert, and is purged only when it is old enough', async () => {
    const [key, gone] = [aggregate(), node()];
    const late = state(key, { nodes: [gone] });
    await apply(state(key, null));
    expect(await apply(late)).toStrictEqual([{ outcome: 'superseded' }]);
    expect(await propertiesOf(gone.key.id)).toStrictEqual([]);
    const page = { limit: 10_000, after: null, processedSeconds: 3_600 };
    expect((await listTombstones(driver, 'neo4j', { ...page, olderThanDays: 30 })).map((one) => one.key)).not.toContain(
      key,
    );
    await driver.executeQuery(
      'MATCH (a:OutgraphAggregate {key: $key}) SET a.deletedAt = a.deletedAt - duration({days: 31})',
      { key },
    );
    const old = (await listTombstones(driver, 'neo4j', { ...page, olderThanDays: 30 })).filter(
      (one) => one.key === key,
    );
    expect(await removeTombstones(driver, 'neo4j', old)).toBe(1);
  });

  it('of a re-created aggregate is not removed', async () => {
    const key = aggregate();
    const dead = state(key, null);
    await apply(dead);
    await apply(state(key, { nodes: [node()] }));
    expect(await removeTombstones(driver, 'neo4j', [dead])).toBe(0);
  });
});

it('an index left over by an interrupted constraint creation does not prevent the constraint', async () => {
  const leftoverLabel = `${label}Left`;
  await driver.executeQuery(`CREATE INDEX outgraph_key_${leftoverLabel} FOR (n:${leftoverLabel}) ON (n.id)`);
  const applied = apply(state(aggregate(), { nodes: [{ ...node(), label: leftoverLabel }] }));
  await driver.executeQuery(`DROP INDEX outgraph_key_${leftoverLabel}`);
  expect(await applied).toMatchObject([{ outcome: 'applied' }]);
  await clearGraph(driver, [leftoverLabel], `graph:${leftoverLabel}`);
});

it('a label with different key properties is refused by name', async () => {
  await apply(state(aggregate(), { nodes: [node()] }));
  expect(await apply(state(aggregate(), { nodes: [{ label, key: { other: 1 } }] }))).toMatchObject([
    { outcome: 'refused', code: 'key-mismatch' },
  ]);
});
