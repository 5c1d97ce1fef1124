/**
 * Applies one batch in one Neo4j transaction. The order of its steps matters. Registry locks come
 * first, because they serialise the states of one aggregate. Releases come before new elements,
 * because a moved element frees its old relationship. The clean-up of unused nodes comes last.
 *
 * Statements that do not depend on an earlier answer are pipelined: the server runs one while the
 * next is on its way.
 */
import type { ManagedTransaction } from 'neo4j-driver';
import { type AggregateState, type StateOutcome, supersedes } from './aggregate-state.ts';
import type { Conflict } from './conflict.ts';
import { diff, diffCarefully } from './diff.ts';
import { createManifest, decodeManifest, emptyManifest, encodeManifest, type Manifest } from './manifest.ts';
import { cleanUpNodes } from './neo4j-clean-up-nodes.ts';
import {
  advanceAggregates,
  enterAggregates,
  type KnownAggregate,
  lockAggregates,
  type RegistryEntry,
  readPositions,
} from './neo4j-registry.ts';
import { changeNodes, clearNodes, writeNodes } from './neo4j-write-nodes.ts';
import {
  changeRelationships,
  countShares,
  createRelationships,
  deleteReleased,
  ownedCreation,
} from './neo4j-write-relationships.ts';
import { type BatchSum, isClaimed, type PositionedDiff, sumDiffs } from './sum-diffs.ts';

/**
 * A state with its manifest. The manifest's hashes are the largest cost of a batch outside Neo4j,
 * so it is created on first use and kept for all attempts of the transaction.
 */
export class PreparedState {
  readonly state: AggregateState;
  #manifest: Manifest | undefined;

  constructor(state: AggregateState) {
    this.state = state;
  }

  get manifest(): Manifest {
    this.#manifest ??= createManifest(this.state.subgraph, this.state.key);
    return this.#manifest;
  }

  get entry(): RegistryEntry {
    const { key, position, subgraph } = this.state;
    return { key, position, manifest: encodeManifest(this.manifest), deleted: subgraph === null };
  }
}

/** Thrown to roll back: some claims of the batch cannot be granted. */
export class ConflictFound extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('ownership conflict');
    this.conflicts = conflicts;
  }
}

/** Thrown to roll back: the graph differs from a manifest, because another program changed it. */
export class ManifestMismatch extends Error {}

export interface ApplyMode {
  /** Use the manifests only to find what to remove. */
  readonly careful: boolean;
  /**
   * First remove the properties of everything that changes, so that a unique value can move from
   * one element of the batch to another.
   */
  readonly clearing: boolean;
}

/**
 * Applies states of different aggregates, sorted by key, and returns for each whether it took
 * effect.
 *
 * @throws ConflictFound or ManifestMismatch to roll back; errors of the driver.
 */
export async function applyTransaction(
  tx: ManagedTransaction,
  states: readonly PreparedState[],
  mode: ApplyMode,
): Promise<readonly StateOutcome[]> {
  const positions = await readPositions(tx, states.map(keyOf));
  const newer = states.filter(({ state }) => supersedes(state, positions.get(state.key)));
  const known = await lockAggregates(
    tx,
    newer.map(keyOf).filter((key) => positions.has(key)),
  );
  const effective = newer.filter(({ state }) => supersedes(state, known.get(state.key)?.position));
  await applyEffective(tx, effective, known, mode);

  const applied = new Set(effective);
  return states.map((prepared) => ({
    key: prepared.state.key,
    outcome: applied.has(prepared) ? 'applied' : 'superseded',
  }));
}

async function applyEffective(
  tx: ManagedTransaction,
  states: readonly PreparedState[],
  known: ReadonlyMap<string, KnownAggregate>,
  mode: ApplyMode,
): Promise<void> {
  if (states.length === 0) return;
  const { unknown = [], locked = [] } = Object.groupBy(states, ({ state }) =>
    known.has(state.key) ? 'locked' : 'unknown',
  );
  const entriesOf = (prepared: readonly PreparedState[]) => prepared.map(({ entry }) => entry);
  await Promise.all([
    enterAggregates(tx, entriesOf(unknown)),
    advanceAggregates(tx, entriesOf(locked)),
    writeGraph(
      tx,
      () => sumDiffs(states.map((state) => positionedDiff(state, known.get(keyOf(state)), mode))),
      mode.clearing ? states.map(keyOf) : null,
    ),
  ]);
}

/**
 * `sumUp` is called once the registry's statements are sent. `clearedOwners` are the aggregates
 * whose elements are cleared first, or null.
 */
async function writeGraph(
  tx: ManagedTransaction,
  sumUp: () => BatchSum,
  clearedOwners: readonly string[] | null,
): Promise<void> {
  const sum = sumUp();
  if (clearedOwners !== null) {
    await clearNodes(tx, sum, clearedOwners);
    await changeRelationships(
      tx,
      sum.changed.map((change) => ({ ...change, properties: {} })),
    );
  }
  const releasedEnds = await deleteReleased(tx, sum.released);
  const shared = await countShares(tx, sum.shared);
  const freed = [...releasedEnds, ...shared.ends];
  const claimed = sum.nodes.filter(isClaimed);
  const reportEnds = freed.length > 0 || claimed.length < sum.nodes.length;
  const [nodes, nodesChanged, attached, relationshipsChanged] = await Promise.all([
    writeNodes(tx, sum.nodes),
    changeNodes(tx, sum.changedNodes),
    createRelationships(tx, [...sum.created.map(ownedCreation), ...shared.toCreate], {
      claimed: new Set(
        [...claimed.map(({ endpoint }) => endpoint), ...sum.changedNodes.map(({ node }) => node)].map(
          ({ identity }) => identity,
        ),
      ),
      reportEnds,
    }),
    changeRelationships(tx, sum.changed),
  ]);
  if (nodes.outcome === 'conflict') throw new ConflictFound(nodes.conflicts);
  if (!nodesChanged || !relationshipsChanged) throw new ManifestMismatch();
  // Nodes to which this transaction has just attached a relationship are in use: do not lock and
  // check them.
  await cleanUpNodes(tx, new Set([...nodes.unlisted, ...freed].filter((id) => !attached.has(id))));
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

function keyOf({ state }: PreparedState): string {
  return state.key;
}
