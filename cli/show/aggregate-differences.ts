/**
 * Finds the differences between one aggregate's document and the graph, by the rules of `verify`.
 * For a stale aggregate, also element by element. Pure.
 */
import { Fault } from '../../lib/contract/fault.ts';
import { relationshipId } from '../../lib/contract/identity.ts';
import type { Subgraph } from '../../lib/contract/subgraph.ts';
import { createManifest, decodeManifest, listedName, readLine } from '../../lib/graph/manifest.ts';
import type { RegisteredAggregate, StoredElements } from '../../lib/graph/stored-graph.ts';
import { compareElements } from '../verify/compare-elements.ts';
import type { Difference } from '../verify/difference.ts';
import { registryDifference } from '../verify/verify-documents.ts';

export interface AggregateFindings {
  /** `aggregateType:aggregateId`. */
  readonly key: string;
  /**
   * Its subgraph, or why it cannot be projected. `absent`: there is no document. `not-found`:
   * unknown whether there is a document.
   */
  readonly document: Subgraph | Fault | 'absent' | 'not-found';
  readonly registered: RegisteredAggregate | undefined;
  readonly standing: StoredElements;
  /** Its newest unsettled event is dead, and newer than the graph's state. */
  readonly isNewestDead: boolean;
  /** A pending event would change the graph. */
  readonly isInFlight: boolean;
}

/** All differences, those of the whole aggregate first. */
export function aggregateDifferences(findings: AggregateFindings): readonly Difference[] {
  const { key, document, registered, isNewestDead } = findings;
  const dead = isNewestDead ? [difference(key, 'dead', 'Its newest event is dead.')] : [];
  if (document === 'not-found') return dead;
  if (document === 'absent') {
    const isGhost = registered !== undefined && !registered.deleted;
    const ghost = difference(key, 'ghost', 'The graph has the aggregate, but no document does.');
    return isGhost ? [...dead, ghost] : dead;
  }
  if (document instanceof Fault) return [...dead, difference(key, 'dead', document.message)];
  const general = registryDifference(key, document, registered);
  const stale = findings.isInFlight ? 'The graph has an older state of the aggregate.' : general?.reason;
  if (general?.kind === 'missing' || registered === undefined) return [...dead, ...(general === null ? [] : [general])];
  const elements = compareElements(key, document, findings.standing);
  if (general === null) return [...dead, ...elements];
  return [
    ...dead,
    { ...general, reason: stale ?? general.reason },
    ...staleElements(findings, document, registered, elements),
  ];
}

function difference(aggregate: string, kind: Difference['kind'], reason: string): Difference {
  return { kind, aggregate, element: null, reason };
}

/**
 * The differences that an older state explains: elements that are missing, outdated or not deleted
 * yet. If the older state has an element in the same form but the graph does not, another program
 * changed it.
 */
function staleElements(
  { key, standing }: AggregateFindings,
  document: Subgraph,
  { manifest }: RegisteredAggregate,
  compared: readonly Difference[],
): readonly Difference[] {
  const listed = decodeManifest(manifest);
  const lines = new Set(listed);
  const names = new Set(listed.map(nameOfLine));
  const expected = new Map(createManifest(document, key).map((line) => [nameOfLine(line), line]));
  const differing = compared.map((one): Difference => {
    const line = one.element === null ? undefined : expected.get(one.element);
    if (line === undefined || lines.has(line)) return one;
    if (one.element !== null && names.has(one.element)) return { ...one, kind: 'stale' };
    return { ...one, kind: 'missing', reason: 'The graph does not have it yet.' };
  });
  const remaining = listed.filter((line) => !expected.has(nameOfLine(line)) && isInGraph(standing, line));
  const reason = "The graph's state has it, but the document does not.";
  return [
    ...differing,
    ...remaining.map((line): Difference => ({ kind: 'stale', aggregate: key, element: nameOfLine(line), reason })),
  ];
}

function nameOfLine(line: string): string {
  return listedName(readLine(line));
}

function isInGraph({ nodes, relationships }: StoredElements, line: string): boolean {
  const element = readLine(line);
  return element.kind === 'node' ? nodes.has(element.endpoint.identity) : relationships.has(element.id);
}

/** The elements that the document or the registry lists for an aggregate. */
export interface ListedElements {
  readonly nodes: ReadonlyMap<string, { readonly shared: boolean }>;
  /** Types by id. */
  readonly relationships: ReadonlyMap<string, string>;
}

export function listElements(
  key: string,
  document: Subgraph | null,
  registered: RegisteredAggregate | undefined,
): ListedElements {
  const nodes = new Map<string, { readonly shared: boolean }>();
  const relationships = new Map<string, string>();
  for (const line of registered === undefined ? [] : decodeManifest(registered.manifest)) {
    const element = readLine(line);
    if (element.kind === 'node') nodes.set(element.endpoint.identity, { shared: element.shared });
    else relationships.set(element.id, element.type);
  }
  for (const { identity, shared } of document?.nodes ?? []) nodes.set(identity, { shared });
  for (const relationship of document?.relationships ?? [])
    relationships.set(relationshipId(relationship, key), relationship.type);
  return { nodes, relationships };
}
