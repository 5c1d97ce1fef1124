/**
 * Writes the relationships of a batch. An owned one is created without a search, because the manifest knows that it is not there, and
 * found again by the unique `_outgraphId`; a MERGE between two dense nodes would walk their relationships.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { RelationshipChange, RelationshipCreation, RelationshipRelease } from '../apply/diff.ts';
import type { SharedRelationshipSum } from '../apply/sum-diffs.ts';
import { nodeIdentity } from '../contract/identity.ts';
import { runCounted, runForEvery, runStatement } from './run-statement.ts';
import { toParameters } from './to-parameter.ts';
import type { NodeIds } from './write-nodes.ts';

/** A shared relationship that no aggregate had listed, with its ends; `shares` aggregates list it now. */
export interface SharedCreation {
  readonly creation: RelationshipCreation;
  readonly shares: number;
}

/** Deletes owned relationships and returns the element ids of their ends. One that someone else has deleted is no loss. */
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

/** What the shared relationships came to: those to be created, and the ends of those that nobody lists any more. */
export interface CountedShares {
  readonly toCreate: readonly SharedCreation[];
  readonly ends: readonly string[];
}

/** Locks the shared relationships of the batch, then reads their counts, then writes the sums; at zero the relationship goes. */
export async function countShares(
  tx: ManagedTransaction,
  sums: readonly SharedRelationshipSum[],
): Promise<CountedShares> {
  const toCreate: SharedCreation[] = [];
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
      else if (shares > 0 && sum.ends !== null) toCreate.push({ creation: sharedCreation(sum, sum.ends), shares });
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

/** Creates relationships on nodes whose element ids are in `ids`. */
export async function createRelationships(
  tx: ManagedTransaction,
  owned: readonly RelationshipCreation[],
  shared: readonly SharedCreation[],
  ids: NodeIds,
): Promise<void> {
  const rows = [
    ...owned.map((creation) => ({ creation, bookkeeping: {} })),
    ...shared.map(({ creation, shares }) => ({ creation, bookkeeping: { _outgraphShares: BigInt(shares) } })),
  ].map(({ creation, bookkeeping }) => ({
    type: creation.type,
    from: ids.get(nodeIdentity(creation.from)),
    to: ids.get(nodeIdentity(creation.to)),
    properties: { ...toParameters(creation.properties), _outgraphId: creation.id, ...bookkeeping },
  }));
  for (const [type, members] of groupByType(rows)) {
    const statement = `
UNWIND $rows AS row
MATCH (a) WHERE elementId(a) = row.from
MATCH (b) WHERE elementId(b) = row.to
CREATE (a)-[r:\`${type}\`]->(b)
SET r = row.properties
RETURN count(*) AS count`;
    await runCounted(tx, statement, { rows: members }, members.length);
  }
}

/** Writes the properties of owned relationships, whole. */
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
  const read = `UNWIND $ids AS id MATCH ()-[r:\`${type}\` {_outgraphId: id}]->() RETURN id, r._outgraphShares AS shares`;
  const ids = locked.map((row) => row.id);
  const rows = await runForEvery<{ id: string; shares: bigint }>(tx, read, { ids }, ids.length);
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
  await runForEvery(tx, statement, { rows }, rows.length);
}

function sharedCreation(
  sum: SharedRelationshipSum,
  ends: NonNullable<SharedRelationshipSum['ends']>,
): RelationshipCreation {
  return { type: sum.type, id: sum.id, shared: true, ...ends, properties: {} };
}

function groupByType<Item extends { readonly type: string }>(
  items: readonly Item[],
): readonly (readonly [string, readonly Item[]])[] {
  const groups = Map.groupBy(items, (item) => item.type);
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
}
