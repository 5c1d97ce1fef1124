/**
 * What an operator sees of one aggregate, from the document to the graph. Plain data: printed, sent as JSON, and drawn
 * by the console.
 */
import type { FaultCode } from '../../lib/contract/fault.ts';
import type { Operation } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { GraphProperties } from '../../lib/contract/subgraph.ts';
import type { Difference } from '../verify/difference.ts';

/** One of its events that the outbox still has, without its payload. */
export interface EventView {
  readonly eventId: string;
  readonly operation: Operation;
  readonly position: Position;
  readonly status: 'pending' | 'processed' | 'dead';
  readonly attempts: number;
  readonly createdAt: Date;
  readonly processedAt: Date | null;
  readonly deadAt: Date | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** A node as a picture needs it. */
export interface NodeView {
  /** Its name: label and key, unique in the view. */
  readonly identity: string;
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
  /** Owned by this aggregate, shared with others, or only an end of one of its relationships. */
  readonly hold: 'owned' | 'shared' | 'end';
}

export interface RelationshipView {
  readonly id: string;
  readonly type: string;
  /** Identities of nodes of the same picture. */
  readonly from: string;
  readonly to: string;
  readonly properties: GraphProperties;
}

/** A subgraph to be drawn. */
export interface SubgraphView {
  readonly nodes: readonly NodeView[];
  readonly relationships: readonly RelationshipView[];
}

export interface ViewedFault {
  readonly code: FaultCode;
  readonly reason: string;
  /** What the code of the aggregate type threw, and where, in the catalog that this command was given. */
  readonly trace?: string;
}

export interface AggregateView {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /**
   * `absent`: there is no document; `not-found`: none was found where it is likely, and the collection was not gone
   * through, so that nobody can say whether there is one.
   */
  readonly search: 'found' | 'absent' | 'not-found';
  /** The document as relaxed Extended JSON; null where none was found. */
  readonly document: Readonly<Record<string, unknown>> | null;
  /** What the document says; null without one, or where its projection fails. */
  readonly expected: SubgraphView | null;
  /** Why the document cannot be projected; null where it can. */
  readonly fault: ViewedFault | null;
  /**
   * Newest first: all that are pending or dead, and of the processed ones those among the outbox's last fifty thousand;
   * no more than a hundred of either.
   */
  readonly events: readonly EventView[];
  /** What the graph's registry says; null where it does not know the aggregate. */
  readonly registry: { readonly position: Position; readonly deleted: boolean; readonly elements: number } | null;
  /** What stands in the graph of all that the document or the registry lists. */
  readonly standing: SubgraphView;
  /** An event waits that would change the graph: differences may be over soon. */
  readonly isInFlight: boolean;
  readonly differences: readonly Difference[];
}
