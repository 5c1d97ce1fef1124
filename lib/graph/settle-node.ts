/**
 * Decides the next state of one node from its state in the graph (read under its lock) and the
 * batch's claims. Pure. This function enforces the rule that a node has one owner, or is shared, or
 * is a placeholder.
 */
import type { Endpoint, GraphProperties } from '../contract/subgraph.ts';
import type { Conflict } from './conflict.ts';
import type { NodeSum, OwnerClaim } from './sum-diffs.ts';

/** A node's state in the graph: `owner` is an aggregate's key, `labels` are all its labels. */
export interface FoundNode {
  readonly owner: string | null;
  readonly shares: number;
  readonly labels: readonly string[];
}

export type NodeOutcome =
  /**
   * Its owner is not in the batch. Only possible after another program deleted the node and another
   * aggregate created it again.
   */
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly Conflict[] }
  | (LabelChanges & {
      readonly outcome: 'settled';
      /** All its properties except its key, bookkeeping included; they replace the old ones. */
      readonly properties: GraphProperties;
      /** No aggregate lists it any more: it remains only as an endpoint. */
      readonly unlisted: boolean;
    });

/** Changes of the labels other than the one that names the node. */
export interface LabelChanges {
  readonly addedLabels: readonly string[];
  readonly removedLabels: readonly string[];
}

/**
 * Returns the node's next state, or the claims that cannot be granted. A foreign node that an
 * aggregate lists is adopted: from then on outgraph treats it as its own.
 *
 * @param found null for a node that this transaction has just created.
 */
export function settleNode(sum: NodeSum, found: FoundNode | null): NodeOutcome {
  const keeper = found?.owner != null && !sum.disowners.includes(found.owner) ? found.owner : null;
  const shares = (found?.shares ?? 0) + sum.sharesDelta;
  const conflicts = findConflicts(sum, keeper, shares);
  if (conflicts.length > 0) return { outcome: 'conflict', conflicts };

  const claim = sum.owners[0];
  if (claim === undefined && keeper !== null) return { outcome: 'kept' };
  return {
    outcome: 'settled',
    properties: nodeProperties(claim, shares),
    ...labelChanges(sum.endpoint.label, found?.labels ?? [], claim?.labels ?? []),
    unlisted: claim === undefined && shares <= 0,
  };
}

/**
 * The changes of a node's labels. `present` are all its labels; `wanted` are those that its owner
 * lists in addition to `label`.
 */
export function labelChanges(label: string, present: readonly string[], wanted: readonly string[]): LabelChanges {
  return {
    addedLabels: wanted.filter((name) => !present.includes(name)),
    removedLabels: present.filter((name) => name !== label && !wanted.includes(name)),
  };
}

/** All properties of an owned node except its key. */
export function ownedProperties(owner: string, properties: GraphProperties): GraphProperties {
  return { ...properties, _outgraph: true, _outgraphOwner: owner };
}

function findConflicts(sum: NodeSum, keeper: string | null, shares: number): readonly Conflict[] {
  const refuse = (refused: string, holder: string | null, heldInGraph: boolean): Conflict => ({
    code: 'ownership-conflict',
    refused,
    holder,
    sharedNode: holder === null ? sum.endpoint.identity : null,
    element: nodeText(sum.endpoint),
    heldInGraph,
  });
  // The owner keeps the node: all other claims are refused.
  if (keeper !== null) {
    const others = sum.owners.filter((claim) => claim.key !== keeper).map((claim) => claim.key);
    return [...others, ...sum.sharers].map((key) => refuse(key, keeper, true));
  }
  // Already shared by aggregates that keep sharing it: claims to own it are refused.
  const sharedBefore = shares - sum.sharers.length > 0;
  if (sharedBefore) return sum.owners.map((claim) => refuse(claim.key, null, true));
  // Nothing holds it: the claim of the earliest event is granted.
  const [first, ...later] = sum.owners;
  if (first === undefined) return [];
  return [...later.map((claim) => claim.key), ...sum.sharers].map((key) => refuse(key, first.key, false));
}

function nodeText({ label, key }: Endpoint): string {
  const values = Object.entries(key).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? JSON.stringify(value) : value}`,
  );
  return `${label} {${values.join(', ')}}`;
}

function nodeProperties(claim: OwnerClaim | undefined, shares: number): GraphProperties {
  if (claim !== undefined) return ownedProperties(claim.key, claim.properties);
  return { _outgraph: true, ...(shares > 0 ? { _outgraphShares: BigInt(shares) } : {}) };
}
