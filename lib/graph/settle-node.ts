/**
 * Decides what becomes of one node, from what the graph holds (read under its lock) and what the batch says about it.
 * Pure; this is where the rule "one owner, or shared, or bare" is kept.
 */
import type { Endpoint, GraphProperties } from '../contract/subgraph.ts';
import type { Conflict } from './conflict.ts';
import type { NodeSum, OwnerClaim } from './sum-diffs.ts';

/** A node as the graph holds it: `owner` is an aggregate's key, `labels` all its labels. */
export interface FoundNode {
  readonly owner: string | null;
  readonly shares: number;
  readonly labels: readonly string[];
}

export type NodeOutcome =
  /**
   * Its owner is none of the batch's business: only possible after someone else tore the node out and another aggregate
   * made it anew.
   */
  | { readonly outcome: 'kept' }
  | { readonly outcome: 'conflict'; readonly conflicts: readonly Conflict[] }
  | (LabelChanges & {
      readonly outcome: 'settled';
      /** All its properties but its key, bookkeeping included: written as a whole. */
      readonly properties: GraphProperties;
      /** No aggregate lists it any more: it stays only as an endpoint. */
      readonly unlisted: boolean;
    });

/** Labels besides the one that names the node. */
export interface LabelChanges {
  readonly addedLabels: readonly string[];
  readonly removedLabels: readonly string[];
}

/**
 * The node's next state, or the claims that cannot be granted. A foreign node that is listed is adopted: from then on
 * it is as if outgraph had made it.
 *
 * @param found null for a node that this transaction has just made.
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
 * What to do about a node's labels; `present` are all that it has, `wanted` those that its owner lists besides `label`.
 */
export function labelChanges(label: string, present: readonly string[], wanted: readonly string[]): LabelChanges {
  return {
    addedLabels: wanted.filter((name) => !present.includes(name)),
    removedLabels: present.filter((name) => name !== label && !wanted.includes(name)),
  };
}

/** All properties of an owned node but its key. */
export function ownedProperties(owner: string, properties: GraphProperties): GraphProperties {
  return { ...properties, _outgraph: true, _outgraphOwner: owner };
}

function findConflicts(sum: NodeSum, keeper: string | null, shares: number): readonly Conflict[] {
  const refuse = (refused: string, holder: string | null, standing: boolean): Conflict => ({
    code: 'ownership-conflict',
    refused,
    holder,
    sharedNode: holder === null ? sum.endpoint.identity : null,
    element: nodeText(sum.endpoint),
    standing,
  });
  // The owner stays who it is: whoever else claims or shares the node is refused.
  if (keeper !== null) {
    const others = sum.owners.filter((claim) => claim.key !== keeper).map((claim) => claim.key);
    return [...others, ...sum.sharers].map((key) => refuse(key, keeper, true));
  }
  // Shared already, by aggregates that go on sharing it: whoever wants to own it is refused.
  const sharedBefore = shares - sum.sharers.length > 0;
  if (sharedBefore) return sum.owners.map((claim) => refuse(claim.key, null, true));
  // Nobody holds it: the claim of the earliest event is granted.
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
