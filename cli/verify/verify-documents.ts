/**
 * Compares from the documents to the graph: does every aggregate match its document? An aggregate
 * that seems different is read again, in an order that distinguishes a difference from a change in
 * flight: the registry, the document, unsettled events, the elements, and the registry again. If
 * its position has not changed and no event is pending, it is different.
 */
import { Fault } from '../../lib/contract/fault.ts';
import { relationshipId } from '../../lib/contract/identity.ts';
import type { RegistryKeys } from '../../lib/contract/registry-keys.ts';
import type { Subgraph } from '../../lib/contract/subgraph.ts';
import { createManifest, decodeManifest } from '../../lib/graph/manifest.ts';
import type { RegisteredAggregate, StoredElements } from '../../lib/graph/stored-graph.ts';
import type { UnsettledEvent } from '../../lib/outbox/mongodb-unsettled.ts';
import { compareElements } from './compare-elements.ts';
import type { Difference, Found } from './difference.ts';
import type { DocumentState, VerifyPorts } from './ports.ts';

/** A document whose aggregate has an id. */
interface Judged<Id> extends DocumentState<Id> {
  readonly aggregateId: string;
  readonly key: string;
}

export interface PageOutcome<Id> {
  readonly found: readonly Found<Id>[];
  /** Aggregates that changed at every read. */
  readonly inFlight: number;
}

/** A changing aggregate is read this often before it counts as in flight. */
const maxReads = 3;

/**
 * Compares a page of documents of one type with the graph.
 *
 * @param quick compares only positions and manifests.
 */
export async function verifyDocuments<Id>(
  ports: VerifyPorts<Id>,
  aggregateType: string,
  states: readonly DocumentState<Id>[],
  quick: boolean,
): Promise<PageOutcome<Id>> {
  const judged = states.flatMap((state) => withKey(ports.keys, aggregateType, state));
  const nameless = states.filter(({ aggregateId }) => aggregateId === null).map(namelessDifference);
  const registry = await ports.readAggregates(judged.map(({ key }) => key));
  const found = await judge(ports, judged, registry, quick);
  let suspects: readonly Judged<Id>[] = judged.filter(({ key }) => found.has(key));
  const confirmed: Found<Id>[] = nameless.map((difference) => ({ difference, subject: null }));
  for (let read = 0; read < maxReads && suspects.length > 0; read += 1) {
    const second = await rereadElements(ports, aggregateType, suspects, quick);
    confirmed.push(...second.found);
    suspects = second.moving;
  }
  return { found: confirmed, inFlight: suspects.length };
}

async function rereadElements<Id>(
  ports: VerifyPorts<Id>,
  aggregateType: string,
  suspects: readonly Judged<Id>[],
  quick: boolean,
): Promise<{ readonly found: readonly Found<Id>[]; readonly moving: readonly Judged<Id>[] }> {
  const keys = suspects.map(({ key }) => key);
  const before = await ports.readAggregates(keys);
  const documents = await ports.readDocuments(
    aggregateType,
    suspects.map(({ id }) => id),
  );
  const states = documents.flatMap((state) => withKey(ports.keys, aggregateType, state));
  const unsettled = await ports.newestUnsettled(
    aggregateType,
    states.map(({ aggregateId }) => aggregateId),
  );
  const differences = await judge(ports, states, before, quick);
  const after = await ports.readAggregates(keys);
  const found: Found<Id>[] = [];
  const moving: Judged<Id>[] = [];
  for (const state of states) {
    const { key, aggregateId, id, subgraph } = state;
    const ofKey = differences.get(key);
    if (ofKey === undefined) continue;
    const event = aheadOf(unsettled.get(aggregateId), after.get(key));
    if (event === 'pending' || before.get(key)?.position !== after.get(key)?.position) moving.push(state);
    else if (event === 'dead') found.push({ difference: deadDifference(key), subject: null });
    else {
      const subject = subgraph instanceof Fault ? null : ({ kind: 'document', aggregateType, id, key } as const);
      found.push(...ofKey.map((difference) => ({ difference, subject })));
    }
  }
  return { found, moving };
}

/** The status of an unsettled event that would change the graph. */
function aheadOf(
  event: UnsettledEvent | undefined,
  registered: RegisteredAggregate | undefined,
): UnsettledEvent['status'] | null {
  if (event === undefined) return null;
  return registered === undefined || event.position > registered.position ? event.status : null;
}

/** Possible differences, by aggregate. */
async function judge<Id>(
  ports: VerifyPorts<Id>,
  states: readonly Judged<Id>[],
  registry: ReadonlyMap<string, RegisteredAggregate>,
  quick: boolean,
): Promise<ReadonlyMap<string, readonly Difference[]>> {
  const found = new Map<string, readonly Difference[]>();
  const inRegistry: { readonly key: string; readonly subgraph: Subgraph }[] = [];
  for (const { key, subgraph } of states) {
    if (subgraph instanceof Fault) found.set(key, [deadDifference(key, subgraph.message)]);
    else {
      const difference = registryDifference(key, subgraph, registry.get(key));
      if (difference !== null) found.set(key, [difference]);
      else inRegistry.push({ key, subgraph });
    }
  }
  if (quick || inRegistry.length === 0) return found;
  const stored = await readStored(ports, inRegistry);
  for (const { key, subgraph } of inRegistry) {
    const differences = compareElements(key, subgraph, stored);
    if (differences.length > 0) found.set(key, differences);
  }
  return found;
}

/** The difference by the registry alone; null if the manifest matches the document. */
export function registryDifference(
  key: string,
  subgraph: Subgraph,
  known: RegisteredAggregate | undefined,
): Difference | null {
  const about = { aggregate: key, element: null };
  if (known === undefined) return { ...about, kind: 'missing', reason: 'The graph does not know the aggregate.' };
  if (known.deleted) return { ...about, kind: 'missing', reason: 'The graph has the aggregate as deleted.' };
  if (isSame(createManifest(subgraph, key), known.manifest)) return null;
  return {
    ...about,
    kind: 'stale',
    reason: 'The graph has a different state of the aggregate, and no event is pending.',
  };
}

/** The order of the lines does not matter. */
function isSame(expected: readonly string[], stored: string): boolean {
  try {
    return [...decodeManifest(stored)].sort().join('\n') === [...expected].sort().join('\n');
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}

function readStored<Id>(
  ports: VerifyPorts<Id>,
  states: readonly { readonly key: string; readonly subgraph: Subgraph }[],
): Promise<StoredElements> {
  const relationships = states.flatMap(({ key, subgraph }) =>
    subgraph.relationships.map((relationship) => ({ type: relationship.type, id: relationshipId(relationship, key) })),
  );
  return ports.readElements(
    states.flatMap(({ subgraph }) => subgraph.nodes),
    relationships,
  );
}

function withKey<Id>(keys: RegistryKeys, aggregateType: string, state: DocumentState<Id>): readonly Judged<Id>[] {
  const { aggregateId } = state;
  return aggregateId === null ? [] : [{ ...state, aggregateId, key: keys.of({ aggregateType, aggregateId }) }];
}

function deadDifference(key: string, reason = 'Its newest event is dead.'): Difference {
  return { kind: 'dead', aggregate: key, element: null, reason };
}

function namelessDifference<Id>({ subgraph }: DocumentState<Id>): Difference {
  const reason = subgraph instanceof Fault ? subgraph.message : 'The document has no aggregate id.';
  return { kind: 'dead', aggregate: null, element: null, reason };
}
