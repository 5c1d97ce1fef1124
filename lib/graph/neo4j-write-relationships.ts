/**
 * Writes the relationships of a batch. An owned one is created without a search, because the
 * manifest says that it does not exist yet, and found again by its unique `_outgraphId`. A MERGE
 * between two dense nodes would walk their relationships.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { Endpoint } from '../contract/subgraph.ts';
import type { RelationshipChange, RelationshipCreation, RelationshipRelease } from './diff.ts';
import { runExpectingRows, runMerge, runStatement } from './neo4j-run-statement.ts';
import { groupByShape, nodePattern, shapeName, shapeOf } from './neo4j-shape.ts';
import { toParameters } from './neo4j-to-parameter.ts';
import type { SharedRelationshipSum } from './sum-diffs.ts';

/** A relationship to create. `shares`: how many aggregates list it; null if it is owned. */
export interface Creation extends RelationshipCreation {
  readonly shares: number | null;
}

/** The creation of an owned relationship. */
export function ownedCreation(creation: RelationshipCreation): Creation {
  return { ...creation, shares: null };
}

/** Deletes relationships and returns the element ids of their ends. Ignores missing ones. */
export async function deleteReleased(
  tx: ManagedTransaction,
  released: readonly RelationshipRelease[],
): Promise<readonly string[]> {
  const ends: string[] = [];
  for (const [type, members] of groupByType(released)) {
    const statement = `
UNWIND $ids AS id
MATCH (a)-[r:\`${type}\` {_outgraphId: id}]->(b)
WITH r, elementId(a) AS from, elementId(b) AS to
DELETE r
RETURN from, to`;
    const rows = await runStatement<{ from: string; to: string }>(tx, statement, {
      ids: members.map((member) => member.id),
    });
    for (const { from, to } of rows) ends.push(from, to);
  }
  return ends;
}

/** The shared relationships to create, and the ends of those that no aggregate lists any more. */
export interface CountedShares {
  readonly toCreate: readonly Creation[];
  readonly ends: readonly string[];
}

/** Locks the batch's shared relationships and updates their counts. At zero, deletes them. */
export async function countShares(
  tx: ManagedTransaction,
  sums: readonly SharedRelationshipSum[],
): Promise<CountedShares> {
  const toCreate: Creation[] = [];
  const ends: string[] = [];
  for (const [type, members] of groupByType(sums)) {
    const counts = await lockCounts(tx, type, members);
    const kept: { id: string; shares: bigint }[] = [];
    const unlisted: string[] = [];
    for (const sum of members) {
      const before = counts.get(sum.id);
      const shares = Number(before ?? 0n) + sum.delta;
      if (before !== undefined && shares > 0) kept.push({ id: sum.id, shares: BigInt(shares) });
      else if (before !== undefined) unlisted.push(sum.id);
      else if (shares > 0 && sum.ends !== null)
        toCreate.push({ ...sum.ends, type, id: sum.id, shared: true, properties: {}, shares });
    }
    await writeCounts(tx, type, kept);
    ends.push(
      ...(await deleteReleased(
        tx,
        unlisted.map((id) => ({ type, id, shared: true })),
      )),
    );
  }
  return { toCreate, ends };
}

/**
 * Creates relationships, and first their missing endpoints. Existing endpoints are neither changed
 * nor locked: if another transaction removes one, the relationship's statement does not find it,
 * and the transaction is retried.
 *
 * @param claimed identities of nodes that this transaction has created or locked.
 * @returns the element ids of the ends with `reportEnds`, otherwise nothing.
 */
export async function createRelationships(
  tx: ManagedTransaction,
  creations: readonly Creation[],
  { claimed, reportEnds }: { readonly claimed: ReadonlySet<string>; readonly reportEnds: boolean },
): Promise<ReadonlySet<string>> {
  const ends = creations.flatMap(({ from, to }) => [from, to]);
  const bare = new Map(ends.map((endpoint) => [endpoint.identity, endpoint]));
  for (const identity of claimed) bare.delete(identity);
  const alike = Map.groupBy(creations, ({ type, from, to }) => [type, shapeName(from), shapeName(to)].join(' '));
  const [, ...ids] = await Promise.all([
    mergeEndpoints(
      tx,
      inOrder(bare).map(([, endpoint]) => endpoint),
    ),
    ...inOrder(alike).map(([, members]) => createOfShape(tx, members, reportEnds)),
  ]);
  return new Set(ids.flat());
}

async function mergeEndpoints(tx: ManagedTransaction, endpoints: readonly Endpoint[]): Promise<void> {
  const groups = groupByShape(endpoints, (endpoint) => endpoint);
  await Promise.all(
    groups.map(([shape, members]) => {
      const statement = `UNWIND $rows AS row MERGE ${nodePattern('n', shape, 'row')} ON CREATE SET n._outgraph = true`;
      return runStatement(tx, statement, { rows: members.map(({ key }) => Object.values(key)) });
    }),
  );
}

/** Creates relationships of one type between nodes of the same two shapes. */
async function createOfShape(
  tx: ManagedTransaction,
  creations: readonly Creation[],
  reportEnds: boolean,
): Promise<readonly string[]> {
  const [{ type, from, to }] = creations as readonly [Creation];
  const found = reportEnds ? 'collect(DISTINCT elementId(a)) + collect(DISTINCT elementId(b))' : '[]';
  const statement = `
UNWIND $rows AS row
MATCH ${nodePattern('a', shapeOf(from), 'row[0]')}
MATCH ${nodePattern('b', shapeOf(to), 'row[1]')}
CREATE (a)-[r:\`${type}\` {_outgraphId: row[2]}]->(b)
SET r += row[3]
RETURN count(*) AS count, ${found} AS found`;
  const rows = creations.map((creation) => [
    Object.values(creation.from.key),
    Object.values(creation.to.key),
    creation.id,
    creation.shares === null ? toParameters(creation.properties) : { _outgraphShares: BigInt(creation.shares) },
  ]);
  return runMerge<string>(tx, statement, { rows }, rows.length);
}

/** Replaces the properties of owned relationships. False if one is missing. */
export async function changeRelationships(
  tx: ManagedTransaction,
  changed: readonly RelationshipChange[],
): Promise<boolean> {
  for (const [type, members] of groupByType(changed)) {
    const statement = `
UNWIND $rows AS row
MATCH ()-[r:\`${type}\` {_outgraphId: row.id}]->()
SET r = row.properties
RETURN row.id AS id`;
    const rows = members.map(({ id, properties }) => ({
      id,
      properties: { ...toParameters(properties), _outgraphId: id },
    }));
    const found = await runStatement(tx, statement, { rows });
    if (found.length !== rows.length) return false;
  }
  return true;
}

async function lockCounts(
  tx: ManagedTransaction,
  type: string,
  sums: readonly SharedRelationshipSum[],
): Promise<ReadonlyMap<string, bigint>> {
  const lock = `UNWIND $ids AS id MATCH ()-[r:\`${type}\` {_outgraphId: id}]->() SET r._outgraphLock = true RETURN id`;
  const locked = await runStatement<{ id: string }>(tx, lock, { ids: sums.map((sum) => sum.id) });
  if (locked.length === 0) return new Map();
  const match = `MATCH ()-[r:\`${type}\` {_outgraphId: id}]->()`;
  const read = `UNWIND $ids AS id ${match} RETURN id, r._outgraphShares AS shares`;
  const ids = locked.map((row) => row.id);
  const rows = await runExpectingRows<{ id: string; shares: bigint }>(tx, read, { ids }, ids.length);
  return new Map(rows.map(({ id, shares }) => [id, shares]));
}

async function writeCounts(
  tx: ManagedTransaction,
  type: string,
  rows: readonly { id: string; shares: bigint }[],
): Promise<void> {
  if (rows.length === 0) return;
  const statement = `
UNWIND $rows AS row
MATCH ()-[r:\`${type}\` {_outgraphId: row.id}]->()
SET r._outgraphShares = row.shares
REMOVE r._outgraphLock
RETURN row.id AS id`;
  await runExpectingRows(tx, statement, { rows }, rows.length);
}

function groupByType<Item extends { readonly type: string }>(
  items: readonly Item[],
): readonly (readonly [string, readonly Item[]])[] {
  return inOrder(Map.groupBy(items, (item) => item.type));
}

/** Sorted, so that all transactions use the same order. */
function inOrder<Value>(values: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...values].sort(([left], [right]) => (left < right ? -1 : 1));
}
