/**
 * One batch, one Neo4j transaction: the steps of the apply in their order. The order matters: registry locks first (they serialise the
 * states of one aggregate), releases before what is new (a date move frees its old relationship), the clean-up of bare nodes at the end.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import { type AggregateState, type StateOutcome, supersedes } from '../apply/aggregate-state.ts';
import { diff, diffCarefully } from '../apply/diff.ts';
import { createManifest, decodeManifest, emptyManifest, encodeManifest, type Manifest } from '../apply/manifest.ts';
import type { OwnershipConflict } from '../apply/settle-node.ts';
import { type BatchSum, type PositionedDiff, sumDiffs } from '../apply/sum-diffs.ts';
import { nodeIdentity } from '../contract/identity.ts';
import { cleanUpNodes } from './clean-up-nodes.ts';
import { advanceRegistry, type KnownAggregate, lockRegistry, type RegistryEntry } from './registry.ts';
import { mergeEndpoints, type NodeIds, writeNodes } from './write-nodes.ts';
import { changeRelationships, countShares, createRelationships, deleteReleased } from './write-relationships.ts';

/** A state with what is derived from it alone, made once however often its transaction is tried. */
export interface PreparedState {
  readonly state: AggregateState;
  readonly manifest: Manifest;
  readonly entry: RegistryEntry;
}

/** Derives what the transaction needs of a state: its manifest's hashes are what a batch costs most outside Neo4j. */
export function prepareState(state: AggregateState): PreparedState {
  const { key, position, subgraph } = state;
  const manifest = createManifest(subgraph, key);
  return { state, manifest, entry: { key, position, manifest: encodeManifest(manifest), deleted: subgraph === null } };
}

/** Thrown to roll back: some claims of the batch cannot be granted. */
export class ConflictFound extends Error {
  readonly conflicts: readonly OwnershipConflict[];

  constructor(conflicts: readonly OwnershipConflict[]) {
    super('ownership conflict');
    this.conflicts = conflicts;
  }
}

/** Thrown to roll back: the graph does not hold what a manifest says, because someone else changed it. */
export class ManifestMismatch extends Error {}

/** `careful`: trust the manifests for nothing but what to remove. */
export interface ApplyMode {
  readonly careful: boolean;
}

/**
 * Applies states of different aggregates, sorted by their key, and says for each whether it took effect.
 *
 * @throws ConflictFound or ManifestMismatch to roll back; the driver's errors.
 */
export async function applyTransaction(
  tx: ManagedTransaction,
  states: readonly PreparedState[],
  mode: ApplyMode,
): Promise<readonly StateOutcome[]> {
  const known = await lockRegistry(
    tx,
    states.map(({ entry }) => entry),
  );
  const effective = states.filter(({ state }) => supersedes(state, known.get(state.key)?.position));
  const sum = sumDiffs(effective.map((prepared) => positionedDiff(prepared, known.get(prepared.state.key), mode)));
  await writeGraph(tx, sum);
  await advanceRegistry(
    tx,
    effective.filter(({ state }) => known.has(state.key)).map(({ entry }) => entry),
  );
  const applied = new Set(effective);
  return states.map((prepared) => ({
    key: prepared.state.key,
    outcome: applied.has(prepared) ? 'applied' : 'superseded',
  }));
}

async function writeGraph(tx: ManagedTransaction, sum: BatchSum): Promise<void> {
  const ids: NodeIds = new Map();
  const releasedEnds = await deleteReleased(tx, sum.released);
  const shared = await countShares(tx, sum.shared);
  const nodes = await writeNodes(tx, sum.nodes, ids);
  if (nodes.outcome === 'conflict') throw new ConflictFound(nodes.conflicts);

  const creations = [...sum.created, ...shared.toCreate.map((item) => item.creation)];
  const endpoints = creations.flatMap((creation) => [creation.from, creation.to]);
  await mergeEndpoints(tx, endpoints, ids);
  await createRelationships(tx, sum.created, shared.toCreate, ids);
  if (!(await changeRelationships(tx, sum.changed))) throw new ManifestMismatch();

  // What this transaction has just attached a relationship to is held by it: no need to lock and look.
  const attached = new Set(endpoints.map((endpoint) => ids.get(nodeIdentity(endpoint))));
  await cleanUpNodes(
    tx,
    new Set([...nodes.unlisted, ...releasedEnds, ...shared.ends].filter((id) => !attached.has(id))),
  );
}

function positionedDiff(
  { state, manifest }: PreparedState,
  known: KnownAggregate | undefined,
  mode: ApplyMode,
): PositionedDiff {
  const before = known === undefined ? emptyManifest : decodeManifest(known.manifest);
  const compare = mode.careful ? diffCarefully : diff;
  return { key: state.key, position: state.position, diff: compare(before, state.subgraph, state.key, manifest) };
}
