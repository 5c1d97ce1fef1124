/**
 * Compares one aggregate's document with the graph. The order of the reads distinguishes a
 * difference from a change in flight: the registry, the document, its events, the elements, and the
 * registry again. If the aggregate's position has changed in the meantime, everything is read
 * again.
 */
import { Fault } from '../../lib/contract/fault.ts';
import { readNodeIdentity } from '../../lib/contract/identity.ts';
import type { Subgraph } from '../../lib/contract/subgraph.ts';
import { decodeManifest } from '../../lib/graph/manifest.ts';
import { type KeyNames, readKeyNames } from '../../lib/graph/neo4j-key-names.ts';
import { readRegistered } from '../../lib/graph/neo4j-list-aggregates.ts';
import { readElements } from '../../lib/graph/neo4j-read-elements.ts';
import type { RegisteredAggregate } from '../../lib/graph/stored-graph.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { Databases } from '../databases.ts';
import { stateOf } from '../documents/document-state.ts';
import { readDocuments } from '../documents/mongodb-documents.ts';
import { type FindOptions, findDocument } from '../documents/mongodb-find-document.ts';
import { toRelaxedJson } from '../terminal/relaxed-json.ts';
import { aggregateDifferences, listElements } from './aggregate-differences.ts';
import type { AggregateView, EventView, ViewedFault } from './aggregate-view.ts';
import { listEvents } from './mongodb-recent-events.ts';
import { expectedView, storedView, unreadEnds } from './subgraph-view.ts';

/** A document as it is now. */
interface ViewedDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly subgraph: Subgraph | Fault;
}

/** `unknown`: there is no document, no event, and nothing in the graph. */
export type ViewOutcome =
  | { readonly outcome: 'viewed'; readonly view: AggregateView }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'interrupted' };

/** Read a changing aggregate at most this often. */
const maxReads = 3;

/** Show at most this many unsettled events, and this many processed events. */
const maxEvents = 100;

/**
 * Reads one aggregate from both databases. The caller closes the connections.
 *
 * @throws Fault `mongodb-unavailable`, `neo4j-unavailable` or `manifest-unknown`.
 */
export async function viewAggregate(
  scope: Databases,
  definition: AggregateDefinition,
  aggregateId: string,
  options: FindOptions,
): Promise<ViewOutcome> {
  const { db, driver, database, keys } = scope;
  const aggregate = { aggregateType: definition.type, aggregateId };
  const key = keys.of(aggregate);
  const keyNames = await readKeyNames(driver, database);
  const readRegistry = async () => (await readRegistered(driver, database, [key])).get(key);
  const location = await findDocument(db, definition, aggregateId, options);
  if (location.outcome === 'interrupted') return { outcome: 'interrupted' };
  for (let read = 1; ; read += 1) {
    const registered = await readRegistry();
    const found = location.outcome === 'found' ? await readDocument(scope, definition, location.document._id) : null;
    const search = found === null && location.outcome === 'found' ? 'absent' : location.outcome;
    const events = await listEvents(outboxOf(db), aggregate, maxEvents);
    if (found === null && registered === undefined && events.length === 0) return { outcome: 'unknown' };
    const view = await viewOnce(scope, keyNames, { ...aggregate, search, found, events, registered });
    const hasMoved = (await readRegistry())?.position !== registered?.position;
    if (!hasMoved || read === maxReads)
      return { outcome: 'viewed', view: { ...view, isInFlight: view.isInFlight || hasMoved } };
  }
}

/** Null if the document was deleted. */
async function readDocument(
  { db }: Databases,
  definition: AggregateDefinition,
  id: unknown,
): Promise<ViewedDocument | null> {
  const [stored] = await readDocuments(db.collection(definition.collection), [id]);
  if (stored === undefined) return null;
  return {
    document: toRelaxedJson(stored.document) as Readonly<Record<string, unknown>>,
    subgraph: stateOf(definition, stored).subgraph,
  };
}

interface Findings {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly search: AggregateView['search'];
  readonly found: ViewedDocument | null;
  readonly events: readonly EventView[];
  readonly registered: RegisteredAggregate | undefined;
}

async function viewOnce(
  { driver, database, keys }: Databases,
  keyNames: KeyNames,
  { aggregateType, aggregateId, search, found, events, registered }: Findings,
): Promise<AggregateView> {
  const key = keys.of({ aggregateType, aggregateId });
  const fault = found?.subgraph instanceof Fault ? found.subgraph : null;
  const subgraph = found === null || found.subgraph instanceof Fault ? null : found.subgraph;
  const listed = listElements(key, subgraph, registered);
  const stored = await readElements(driver, database, keyNames, {
    nodes: [...listed.nodes.keys()].map(readNodeIdentity),
    relationships: [...listed.relationships].map(([id, type]) => ({ id, type })),
  });
  const ends = await readElements(driver, database, keyNames, {
    nodes: unreadEnds(stored).map(readNodeIdentity),
    relationships: [],
  });
  const ahead = events.filter(({ position }) => registered === undefined || position > registered.position);
  const newestUnsettled = ahead.find(({ status }) => status !== 'processed');
  const isInFlight = ahead.some(({ status }) => status === 'pending');
  return {
    aggregateType,
    aggregateId,
    search,
    document: found?.document ?? null,
    expected: subgraph && expectedView(key, subgraph),
    fault: fault && viewFault(fault),
    events,
    registry: registered === undefined ? null : registryView(registered),
    standing: storedView(listed, stored, ends.nodes),
    isInFlight,
    differences: aggregateDifferences({
      key,
      document: found?.subgraph ?? (search === 'not-found' ? 'not-found' : 'absent'),
      registered,
      standing: stored,
      isNewestDead: newestUnsettled?.status === 'dead',
      isInFlight,
    }),
  };
}

/** Deeper frames are in outgraph itself. */
const shownFrames = 10;

function viewFault({ code, message: reason, cause }: Fault): ViewedFault {
  if (code !== 'projection-failed' || !(cause instanceof Error)) return { code, reason };
  return { code, reason, trace: (cause.stack ?? String(cause)).split('\n').slice(0, shownFrames).join('\n') };
}

function registryView({ position, deleted, manifest }: RegisteredAggregate): AggregateView['registry'] {
  return { position, deleted, elements: decodeManifest(manifest).length };
}
