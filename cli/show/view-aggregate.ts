/**
 * One aggregate from its document to the graph, looked at in an order that tells a difference from a change that is on
 * its way: the registry, the document, its events, the elements, and the registry once more. Where its position has
 * moved meanwhile, all of it is looked at again.
 */

import { Fault } from '../../lib/contract/fault.ts';
import { readNodeIdentity } from '../../lib/contract/identity.ts';
import { aggregateKey } from '../../lib/contract/outbox-event.ts';
import type { NamedEndpoint, Subgraph } from '../../lib/contract/subgraph.ts';
import { decodeManifest } from '../../lib/graph/manifest.ts';
import type { RegisteredAggregate, StoredElements } from '../../lib/graph/stored-graph.ts';
import { aggregateDifferences, listElements } from './aggregate-differences.ts';
import type { AggregateView, EventView, ViewedFault } from './aggregate-view.ts';
import { expectedView, standingView, unreadEnds } from './subgraph-view.ts';

/** A document as it is now. */
interface ViewedDocument {
  readonly document: Readonly<Record<string, unknown>>;
  readonly subgraph: Subgraph | Fault;
}

/** Where an aggregate's document is. */
type Location<Id> =
  | { readonly outcome: 'found'; readonly id: Id }
  | { readonly outcome: 'absent' | 'not-found' | 'interrupted' };

/** All of one aggregate. */
export interface ViewPorts<Id> {
  /** May take long. */
  readonly locateDocument: () => Promise<Location<Id>>;
  /** Null: it is gone. */
  readonly readDocument: (id: Id) => Promise<ViewedDocument | null>;
  /** Newest first. */
  readonly listEvents: () => Promise<readonly EventView[]>;
  readonly readRegistered: () => Promise<RegisteredAggregate | undefined>;
  readonly readElements: (
    nodes: readonly NamedEndpoint[],
    relationships: readonly { readonly type: string; readonly id: string }[],
  ) => Promise<StoredElements>;
}

/** `unknown`: there is no document, no event and nothing in the graph. */
export type ViewOutcome =
  | { readonly outcome: 'viewed'; readonly view: AggregateView }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'interrupted' };

/** An aggregate that moves is looked at so often. */
const maxLooks = 3;

/** Looks at it. @throws Fault `mongodb-unavailable`, `neo4j-unavailable` or `manifest-unknown`. */
export async function viewAggregate<Id>(
  ports: ViewPorts<Id>,
  aggregate: { readonly aggregateType: string; readonly aggregateId: string },
): Promise<ViewOutcome> {
  const location = await ports.locateDocument();
  if (location.outcome === 'interrupted') return { outcome: 'interrupted' };
  for (let look = 1; ; look += 1) {
    const before = await ports.readRegistered();
    const found = location.outcome === 'found' ? await ports.readDocument(location.id) : null;
    const search = found === null && location.outcome === 'found' ? 'absent' : location.outcome;
    const events = await ports.listEvents();
    if (found === null && before === undefined && events.length === 0) return { outcome: 'unknown' };
    const view = await viewOnce(ports, { ...aggregate, search, found, events, registered: before });
    const moved = (await ports.readRegistered())?.position !== before?.position;
    if (!moved || look === maxLooks)
      return { outcome: 'viewed', view: { ...view, isInFlight: view.isInFlight || moved } };
  }
}

interface Findings {
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly search: AggregateView['search'];
  readonly found: ViewedDocument | null;
  readonly events: readonly EventView[];
  readonly registered: RegisteredAggregate | undefined;
}

async function viewOnce<Id>(
  ports: Pick<ViewPorts<Id>, 'readElements'>,
  { aggregateType, aggregateId, search, found, events, registered }: Findings,
): Promise<AggregateView> {
  const key = aggregateKey({ aggregateType, aggregateId });
  const fault = found?.subgraph instanceof Fault ? found.subgraph : null;
  const subgraph = found === null || found.subgraph instanceof Fault ? null : found.subgraph;
  const listed = listElements(key, subgraph, registered);
  const standing = await ports.readElements(
    [...listed.nodes.keys()].map(readNodeIdentity),
    [...listed.relationships].map(([id, type]) => ({ id, type })),
  );
  const ends = await ports.readElements(unreadEnds(standing).map(readNodeIdentity), []);
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
    standing: standingView(listed, standing, ends.nodes),
    isInFlight,
    differences: aggregateDifferences({
      key,
      document: found?.subgraph ?? (search === 'not-found' ? 'not-found' : 'absent'),
      registered,
      standing,
      isNewestDead: newestUnsettled?.status === 'dead',
      isInFlight,
    }),
  };
}

/** Deeper calls are those of outgraph itself. */
const shownFrames = 10;

function viewFault({ code, message: reason, cause }: Fault): ViewedFault {
  if (code !== 'projection-failed' || !(cause instanceof Error)) return { code, reason };
  return { code, reason, trace: (cause.stack ?? String(cause)).split('\n').slice(0, shownFrames).join('\n') };
}

function registryView({ position, deleted, manifest }: RegisteredAggregate): AggregateView['registry'] {
  return { position, deleted, elements: decodeManifest(manifest).length };
}
