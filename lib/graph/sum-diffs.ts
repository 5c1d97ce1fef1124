/**
 * Adds up a batch's changes to each element, so that every node and every shared relationship is
 * written once. Two rows of one statement could both read the old value, and one of their updates
 * would be lost.
 */
import type { Position } from '../contract/position.ts';
import type { GraphProperties, NamedEndpoint, SubgraphNode } from '../contract/subgraph.ts';
import {
  type AggregateDiff,
  ownedOnly,
  type RelationshipChange,
  type RelationshipCreation,
  type RelationshipRelease,
} from './diff.ts';

/** One aggregate's diff, with its key and the position of its event. */
export interface PositionedDiff {
  readonly key: string;
  readonly position: Position;
  readonly diff: AggregateDiff;
}

/** The batch's claims and releases of one node. */
export interface NodeSum {
  readonly endpoint: NamedEndpoint;
  /** Aggregates that no longer own it. */
  readonly disowners: readonly string[];
  /** Aggregates that claim to own it, earliest event first; more than one is a conflict. */
  readonly owners: readonly OwnerClaim[];
  /** Aggregates that list it as shared and did not before. */
  readonly sharers: readonly string[];
  /** Change in the number of aggregates that share it. */
  readonly sharesDelta: number;
}

/** Whether an aggregate of the batch lists the node; otherwise the batch only releases it. */
export function isClaimed(sum: NodeSum): boolean {
  return sum.owners.length + sum.sharers.length > 0;
}

export interface OwnerClaim {
  readonly key: string;
  readonly position: Position;
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
}

/** A node that keeps its owner and gets new content. */
export interface ChangedNode {
  readonly owner: string;
  readonly node: SubgraphNode;
}

/** The batch's change of one shared relationship. `ends` is null if it is only released. */
export interface SharedRelationshipSum {
  readonly type: string;
  readonly id: string;
  readonly delta: number;
  readonly ends: { readonly from: NamedEndpoint; readonly to: NamedEndpoint } | null;
}

/** The sum of a batch. Lists are sorted, so that all transactions take their locks in one order. */
export interface BatchSum {
  readonly nodes: readonly NodeSum[];
  /** Nodes that no other aggregate of the batch claims or releases. */
  readonly changedNodes: readonly ChangedNode[];
  readonly created: readonly RelationshipCreation[];
  readonly changed: readonly RelationshipChange[];
  readonly released: readonly RelationshipRelease[];
  readonly shared: readonly SharedRelationshipSum[];
}

/** Adds up the diffs of a batch, at most one for each aggregate. */
export function sumDiffs(diffs: readonly PositionedDiff[]): BatchSum {
  return {
    ...sumNodes(diffs),
    created: diffs.flatMap(({ diff }) => ownedOnly(diff.created)),
    changed: diffs.flatMap(({ diff }) => diff.changed),
    released: sortBy(
      diffs.flatMap(({ diff }) => ownedOnly(diff.released)),
      (release) => release.id,
    ),
    shared: sumSharedRelationships(diffs),
  };
}

function sumNodes(diffs: readonly PositionedDiff[]): Pick<BatchSum, 'nodes' | 'changedNodes'> {
  const sums = new Map<string, MutableNodeSum>();
  const sumOf = (endpoint: NamedEndpoint) => {
    const known = sums.get(endpoint.identity);
    if (known !== undefined) return known;
    const fresh = { endpoint, disowners: [], owners: [], sharers: [], sharesDelta: 0 };
    sums.set(endpoint.identity, fresh);
    return fresh;
  };
  const own = ({ key, position }: PositionedDiff, node: SubgraphNode) =>
    sumOf(node).owners.push({ key, position, labels: node.labels, properties: node.properties });
  for (const one of diffs) {
    const { key, diff } = one;
    for (const release of diff.releases) {
      const sum = sumOf(release.endpoint);
      if (release.shared) sum.sharesDelta -= 1;
      else sum.disowners.push(key);
    }
    for (const node of diff.claims) {
      const sum = sumOf(node);
      if (node.shared) {
        sum.sharesDelta += 1;
        sum.sharers.push(key);
      } else {
        own(one, node);
      }
    }
  }
  const changedNodes: ChangedNode[] = [];
  for (const one of diffs) {
    for (const node of one.diff.changedNodes) {
      // Another aggregate claims or releases it too: decide it like any other claim.
      if (sums.has(node.identity)) own(one, node);
      else changedNodes.push({ owner: one.key, node });
    }
  }
  for (const sum of sums.values()) sum.owners.sort((left, right) => compare(left.position, right.position));
  return {
    nodes: sortBy([...sums.values()], (sum) => sum.endpoint.identity),
    changedNodes: sortBy(changedNodes, ({ node }) => node.identity),
  };
}

type MutableNodeSum = {
  -readonly [Field in keyof NodeSum]: NodeSum[Field] extends readonly (infer Item)[] ? Item[] : NodeSum[Field];
};

function sumSharedRelationships(diffs: readonly PositionedDiff[]): readonly SharedRelationshipSum[] {
  const sums = new Map<string, SharedRelationshipSum>();
  const add = (type: string, id: string, delta: number, ends: SharedRelationshipSum['ends']) => {
    const known = sums.get(id);
    sums.set(id, { type, id, delta: (known?.delta ?? 0) + delta, ends: ends ?? known?.ends ?? null });
  };
  for (const { diff } of diffs) {
    for (const { type, id, shared } of diff.released) if (shared) add(type, id, -1, null);
    for (const { type, id, shared, from, to } of diff.created) if (shared) add(type, id, 1, { from, to });
  }
  // Includes relationships with a delta of zero: a count of shares relies on the lock of every
  // transaction that changes which aggregates share them.
  return sortBy([...sums.values()], (sum) => sum.id);
}

function sortBy<Item>(items: readonly Item[], text: (item: Item) => string): readonly Item[] {
  return [...items].sort((left, right) => compare(text(left), text(right)));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : 1;
}
