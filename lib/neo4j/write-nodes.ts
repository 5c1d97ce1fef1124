/**
 * Writes the nodes of a batch: finds or makes and locks each, reads what the graph holds of it, lets `settleNode` decide, and writes the
 * result whole. Statements depend on the shape of a node (label, key names), never on its data.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import { type FoundNode, type NodeOutcome, type OwnershipConflict, settleNode } from '../apply/settle-node.ts';
import type { NodeSum } from '../apply/sum-diffs.ts';
import { nodeIdentity } from '../contract/identity.ts';
import type { Endpoint, GraphProperties } from '../contract/subgraph.ts';
import { mergedAs, runForEvery, runMerge } from './run-statement.ts';
import { toParameters } from './to-parameter.ts';

/** Element ids of the nodes this transaction has in its hands, by identity. */
export type NodeIds = Map<string, string>;

/** What writing the nodes came to. `unlisted`: element ids that no aggregate lists any more. */
export type WrittenNodes =
  | { readonly outcome: 'written'; readonly unlisted: readonly string[] }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly OwnershipConflict[] };

interface HeldNode {
  readonly sum: NodeSum;
  readonly id: string;
  readonly found: FoundNode | null;
}

/** Writes what the batch says about nodes and adds their element ids to `ids`; writes nothing that stays where there is a conflict. */
export async function writeNodes(
  tx: ManagedTransaction,
  sums: readonly NodeSum[],
  ids: NodeIds,
): Promise<WrittenNodes> {
  const held: HeldNode[] = [];
  for (const [shape, members] of groupByShape(sums, (sum) => sum.endpoint))
    held.push(...(await holdNodes(tx, shape, members)));
  for (const { sum, id } of held) ids.set(sum.identity, id);

  const outcomes = held.map((node) => ({ ...node, settled: settleNode(node.sum, node.found) }));
  const conflicts = outcomes.flatMap(({ settled }) => (settled.outcome === 'conflict' ? settled.conflicts : []));
  if (conflicts.length > 0) return { outcome: 'conflict', conflicts };

  const writes = outcomes.flatMap(({ id, found, settled }) =>
    settled.outcome === 'settled' ? [{ id, fresh: found === null, ...settled }] : [],
  );
  await writeSettled(tx, writes);
  return { outcome: 'written', unlisted: writes.filter((write) => write.unlisted).map((write) => write.id) };
}

/**
 * Finds or makes the endpoints that the batch does not list as nodes, and adds their element ids to `ids`. Nothing of an existing one is
 * changed or locked: should another transaction remove it, the relationship that is created on it fails, and all starts over.
 */
export async function mergeEndpoints(
  tx: ManagedTransaction,
  endpoints: readonly Endpoint[],
  ids: NodeIds,
): Promise<void> {
  const missing = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    const identity = nodeIdentity(endpoint);
    if (!ids.has(identity)) missing.set(identity, endpoint);
  }
  const sorted = [...missing].sort(([left], [right]) => (left < right ? -1 : 1));
  for (const [{ label, names }, members] of groupByShape(sorted, ([, endpoint]) => endpoint)) {
    const statement = `
UNWIND $rows AS row
MERGE (n:\`${label}\` {${keyPattern(names)}})
  ON CREATE SET n._outgraph = true
RETURN row.index AS index, elementId(n) AS id`;
    const rows = members.map(([, endpoint], index) => ({ index, key: endpoint.key }));
    const found = await runForEvery<{ index: number; id: string }>(tx, statement, { rows }, rows.length);
    for (const { index, id } of found) ids.set((members[index] as (typeof members)[number])[0], id);
  }
}

async function holdNodes(
  tx: ManagedTransaction,
  { label, names }: Shape,
  sums: readonly NodeSum[],
): Promise<readonly HeldNode[]> {
  const statement = `
UNWIND $rows AS row
MERGE (n:\`${label}\` {${keyPattern(names)}})
  ON CREATE SET n = row.properties
  ON MATCH SET n._outgraphLock = true
WITH row.index AS index, elementId(n) AS id, ${mergedAs('n', '_outgraph')}
RETURN count(merged) AS count, collect([index, id, merged = 'found']) AS found`;
  const rows = sums.map((sum, index) => ({ index, key: sum.endpoint.key, properties: propertiesIfNew(sum) }));
  type Held = readonly [index: number, id: string, found: boolean];
  const locked = await runMerge<Held>(tx, statement, { rows }, rows.length);
  const found = await readNodes(
    tx,
    locked.flatMap(([, id, wasThere]) => (wasThere ? id : [])),
  );
  return locked.map(([index, id]) => ({ sum: sums[index] as NodeSum, id, found: found.get(id) ?? null }));
}

/** In a statement of its own, after the lock: what was read before it was held may be out of date. */
async function readNodes(tx: ManagedTransaction, ids: readonly string[]): Promise<ReadonlyMap<string, FoundNode>> {
  if (ids.length === 0) return new Map();
  const statement = `
UNWIND $ids AS id
MATCH (n) WHERE elementId(n) = id
RETURN id, n._outgraphOwner AS owner, coalesce(n._outgraphShares, 0) AS shares, labels(n) AS labels`;
  const rows = await runForEvery<{ id: string; owner: string | null; shares: bigint; labels: string[] }>(
    tx,
    statement,
    { ids },
    ids.length,
  );
  return new Map(rows.map(({ id, owner, shares, labels }) => [id, { owner, shares: Number(shares), labels }]));
}

/** `fresh`: this transaction has just made the node, with its properties. */
type SettledWrite = Extract<NodeOutcome, { outcome: 'settled' }> & { readonly id: string; readonly fresh: boolean };

async function writeSettled(tx: ManagedTransaction, writes: readonly SettledWrite[]): Promise<void> {
  const rows = writes
    .filter((write) => !write.fresh)
    .map(({ id, properties }) => ({ id, properties: toParameters(properties) }));
  if (rows.length > 0) {
    const statement =
      'UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id SET n = row.properties RETURN row.id AS id';
    await runForEvery(tx, statement, { rows }, rows.length);
  }
  const relabelled = writes.filter((write) => write.addedLabels.length + write.removedLabels.length > 0);
  if (relabelled.length === 0) return;
  const labelRows = relabelled.map(({ id, addedLabels, removedLabels }) => ({ id, addedLabels, removedLabels }));
  await runForEvery(
    tx,
    `UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id
     SET n:$(row.addedLabels) REMOVE n:$(row.removedLabels) RETURN row.id AS id`,
    { rows: labelRows },
    labelRows.length,
  );
}

/** What a node would be if nobody had it yet; a node that is there is written after it was read. */
function propertiesIfNew(sum: NodeSum): Readonly<Record<string, unknown>> {
  const settled = settleNode(sum, null);
  const properties: GraphProperties =
    settled.outcome === 'settled' ? settled.properties : { ...sum.endpoint.key, _outgraph: true };
  return toParameters(properties);
}

interface Shape {
  readonly label: string;
  readonly names: readonly string[];
}

function groupByShape<Item>(
  items: readonly Item[],
  endpointOf: (item: Item) => Endpoint,
): readonly (readonly [Shape, readonly Item[]])[] {
  const groups = new Map<string, [Shape, Item[]]>();
  for (const item of items) {
    const { label, key } = endpointOf(item);
    const names = Object.keys(key);
    const shape = [label, ...names].join();
    const group = groups.get(shape);
    if (group === undefined) groups.set(shape, [{ label, names }, [item]]);
    else group[1].push(item);
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => group);
}

function keyPattern(names: readonly string[]): string {
  return names.map((name) => `\`${name}\`: row.key.\`${name}\``).join(', ');
}
