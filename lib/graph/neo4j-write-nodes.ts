/**
 * Writes the nodes of a batch: finds or creates and locks each node, reads its current state, lets
 * `settleNode` decide, and writes the whole result. Statements depend on a node's shape (label, key
 * names), never on its data.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import type { Conflict } from './conflict.ts';
import { countMerged, runCounted, runExpectingRows, runMerge, runStatement } from './neo4j-run-statement.ts';
import { groupByShape, nodePattern, type Shape } from './neo4j-shape.ts';
import { toParameters } from './neo4j-to-parameter.ts';
import {
  type FoundNode,
  type LabelChanges,
  labelChanges,
  type NodeOutcome,
  ownedProperties,
  settleNode,
} from './settle-node.ts';
import { type BatchSum, type ChangedNode, isClaimed, type NodeSum } from './sum-diffs.ts';

/** The written nodes. `unlisted`: element ids of nodes that no aggregate lists any more. */
export type WrittenNodes =
  | { readonly outcome: 'written'; readonly unlisted: readonly string[] }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly Conflict[] };

/** An existing node, locked by this transaction. */
interface LockedNode {
  readonly sum: NodeSum;
  readonly id: string;
}

/**
 * Writes the batch's changes to nodes. All statements that may create a node are sent before the
 * first answer is awaited. Roll back after a conflict.
 */
export async function writeNodes(tx: ManagedTransaction, sums: readonly NodeSum[]): Promise<WrittenNodes> {
  const claimed = sums.filter(isClaimed).map((sum) => ({ sum, settled: settleNode(sum, null) }));
  const released = sums.filter((sum) => !isClaimed(sum));
  const locked = (
    await Promise.all([
      ...groupByShape(claimed, ({ sum }) => sum.endpoint).map(([shape, members]) => mergeNodes(tx, shape, members)),
      ...groupByShape(released, ({ endpoint }) => endpoint).map(([shape, members]) => lockNodes(tx, shape, members)),
    ])
  ).flat();
  const known = new Set(locked.map(({ sum }) => sum));
  const created = claimed.filter(({ sum }) => !known.has(sum));
  const found = (await readNodes(tx, locked)).map(({ node, ...one }) => ({
    ...one,
    settled: settleNode(one.sum, node),
  }));
  const conflicts = [...created, ...found].flatMap(({ settled }) =>
    settled.outcome === 'conflict' ? settled.conflicts : [],
  );
  if (conflicts.length > 0) return { outcome: 'conflict', conflicts };

  const writes = found.flatMap(({ settled, ...one }) =>
    settled.outcome === 'settled' ? [{ ...one, ...settled }] : [],
  );
  await writeSettled(tx, writes);
  return { outcome: 'written', unlisted: writes.filter((write) => write.unlisted).map((write) => write.id) };
}

/**
 * Writes nodes that stay with their owner. While the owner's registry node is locked, no other
 * aggregate can have taken them, so nothing is read first. Returns false if a node is missing or
 * has another owner: another program has changed the graph.
 */
export async function changeNodes(tx: ManagedTransaction, changed: readonly ChangedNode[]): Promise<boolean> {
  const results = await Promise.all(
    groupByShape(changed, ({ node }) => node).map(([shape, members]) => changeNodesOfShape(tx, shape, members)),
  );
  await relabelNodes(
    tx,
    results.flatMap(({ relabelled }) => relabelled),
  );
  return results.every(({ allFound }) => allFound);
}

/**
 * Removes all properties except the key and outgraph's own from the nodes that these aggregates own
 * and the batch changes or releases.
 */
export async function clearNodes(
  tx: ManagedTransaction,
  { nodes, changedNodes }: Pick<BatchSum, 'nodes' | 'changedNodes'>,
  owners: readonly string[],
): Promise<void> {
  const endpoints = [...nodes.map(({ endpoint }) => endpoint), ...changedNodes.map(({ node }) => node)];
  for (const [shape, members] of groupByShape(endpoints, (endpoint) => endpoint)) {
    const key = shape.names.map((name, index) => `\`${name}\`: row[${index}]`).join(', ');
    const statement = `
UNWIND $rows AS row
MATCH ${nodePattern('n', shape, 'row')} WHERE n._outgraphOwner IN $owners
SET n = {${key}, _outgraph: n._outgraph, _outgraphOwner: n._outgraphOwner, _outgraphShares: n._outgraphShares}`;
    await runStatement(tx, statement, { rows: members.map((member) => Object.values(member.key)), owners });
  }
}

interface Relabelling extends LabelChanges {
  readonly id: string;
}

async function changeNodesOfShape(
  tx: ManagedTransaction,
  shape: Shape,
  changed: readonly ChangedNode[],
): Promise<{ readonly allFound: boolean; readonly relabelled: readonly Relabelling[] }> {
  const statement = `
UNWIND $rows AS row
MATCH ${nodePattern('n', shape, 'row[1]')} WHERE n._outgraphOwner = row[2]
SET n = row[3]
RETURN count(*) AS count,
  collect(CASE WHEN row[4] OR size(labels(n)) > 1 THEN [row[0], elementId(n), labels(n)] END) AS labelled`;
  const rows = changed.map(({ owner, node: { key, labels, properties } }, index) => [
    index,
    Object.values(key),
    owner,
    toParameters({ ...key, ...ownedProperties(owner, properties) }),
    labels.length > 0,
  ]);
  type Labelled = readonly [index: number, id: string, labels: readonly string[]];
  const [row] = await runStatement<{ count: bigint; labelled: readonly Labelled[] }>(tx, statement, { rows });
  const relabelled = (row?.labelled ?? []).map(([index, id, labels]) => {
    const { node } = changed[index] as ChangedNode;
    return { id, ...labelChanges(node.label, labels, node.labels) };
  });
  return { allFound: Number(row?.count) === changed.length, relabelled };
}

/** Locks the nodes, and creates missing ones as if unclaimed. Returns those that existed. */
async function mergeNodes(
  tx: ManagedTransaction,
  shape: Shape,
  members: readonly { readonly sum: NodeSum; readonly settled: NodeOutcome }[],
): Promise<readonly LockedNode[]> {
  const rows = members.map(({ sum: { endpoint }, settled }, index) => {
    const fresh = settled.outcome === 'settled' ? settled : { properties: { _outgraph: true }, addedLabels: [] };
    return [index, Object.values(endpoint.key), toParameters(fresh.properties), fresh.addedLabels] as const;
  });
  const addsLabels = rows.some(([, , , labels]) => labels.length > 0);
  const statement = `
UNWIND $rows AS row
MERGE ${nodePattern('n', shape, 'row[1]')}
  ON CREATE SET n += row[2]${addsLabels ? ', n:$(row[3])' : ''}
  ON MATCH SET n._outgraphLock = true
RETURN ${countMerged('n', '_outgraph')} AS count,
  collect(CASE WHEN n._outgraphLock IS NOT NULL THEN [row[0], elementId(n)] END) AS found`;
  const found = await runMerge<readonly [number, string]>(tx, statement, { rows }, rows.length);
  return lockedNodes(
    found,
    members.map(({ sum }) => sum),
  );
}

/** Locks nodes that the batch only releases. Ignores nodes that no longer exist. */
async function lockNodes(
  tx: ManagedTransaction,
  shape: Shape,
  sums: readonly NodeSum[],
): Promise<readonly LockedNode[]> {
  const statement = `
UNWIND $rows AS row
MATCH ${nodePattern('n', shape, 'row[1]')}
SET n._outgraphLock = true
RETURN collect([row[0], elementId(n)]) AS found`;
  const rows = sums.map(({ endpoint }, index) => [index, Object.values(endpoint.key)]);
  const [row] = await runStatement<{ found: (readonly [number, string])[] }>(tx, statement, { rows });
  return lockedNodes(row?.found ?? [], sums);
}

/** A separate statement: a value read before the lock is held may be stale. */
async function readNodes(
  tx: ManagedTransaction,
  locked: readonly LockedNode[],
): Promise<readonly (LockedNode & { readonly node: FoundNode })[]> {
  if (locked.length === 0) return [];
  const statement = `
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = id
RETURN id, n._outgraphOwner AS owner, coalesce(n._outgraphShares, 0) AS shares, labels(n) AS labels`;
  type Row = { id: string; owner: string | null; shares: bigint; labels: string[] };
  const ids = locked.map(({ id }) => id);
  const rows = await runExpectingRows<Row>(tx, statement, { ids }, ids.length);
  const nodes = new Map(rows.map((row) => [row.id, row]));
  return locked.map(({ sum, id }) => {
    const { owner, shares, labels } = nodes.get(id) as Row;
    return { sum, id, node: { owner, shares: Number(shares), labels } };
  });
}

type SettledWrite = Extract<NodeOutcome, { outcome: 'settled' }> & LockedNode;

async function writeSettled(tx: ManagedTransaction, writes: readonly SettledWrite[]): Promise<void> {
  if (writes.length === 0) return;
  const rows = writes.map(({ id, sum, properties }) => [id, toParameters({ ...sum.endpoint.key, ...properties })]);
  const statement = 'UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row[0] SET n = row[1] RETURN count(*) AS count';
  await runCounted(tx, statement, { rows }, rows.length);
  await relabelNodes(tx, writes);
}

async function relabelNodes(tx: ManagedTransaction, relabelled: readonly Relabelling[]): Promise<void> {
  const rows = relabelled
    .filter(({ addedLabels, removedLabels }) => addedLabels.length + removedLabels.length > 0)
    .map(({ id, addedLabels, removedLabels }) => [id, addedLabels, removedLabels]);
  if (rows.length === 0) return;
  const statement = `
UNWIND $rows AS row
MATCH (n) WHERE elementId(n) = row[0]
SET n:$(row[1])
REMOVE n:$(row[2])
RETURN count(*) AS count`;
  await runCounted(tx, statement, { rows }, rows.length);
}

function lockedNodes(found: readonly (readonly [number, string])[], sums: readonly NodeSum[]): readonly LockedNode[] {
  return found.map(([index, id]) => ({ sum: sums[index] as NodeSum, id }));
}
