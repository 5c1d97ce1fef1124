/**
 * One aggregate, from the document to the graph. Plain data: printed, sent as JSON, and drawn by
 * the console.
 */
import type { FaultCode } from '../../lib/contract/fault.ts';
import type { Operation } from '../../lib/contract/outbox-event.ts';
import type { Position } from '../../lib/contract/position.ts';
import type { GraphProperties } from '../../lib/contract/subgraph.ts';
import type { Difference } from '../verify/difference.ts';

/** An event that the outbox still has, without its payload. */
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

export interface NodeView {
  /** Label and key, unique in the view. */
  readonly identity: string;
  readonly labels: readonly string[];
  readonly properties: GraphProperties;
  /**
   * Owned by this aggregate, shared with other aggregates, or only an end of one of its
   * relationships.
   */
  readonly hold: 'owned' | 'shared' | 'end';
}

export interface RelationshipView {
  readonly id: string;
  readonly type: string;
  /** Identities of nodes in the same view. */
  readonly from: string;
  readonly to: string;
  readonly properties: GraphProperties;
}

export interface SubgraphView {
  readonly nodes: readonly NodeView[];
  readonly relationships: readonly RelationshipView[];
}

export interface ViewedFault {
  readonly code: FaultCode;
  readonly reason: string;
  /** The error that the projection in this command's catalog threw, with its stack. */
  readonly trace?: string;
}

export interface AggregateView {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /**
   * `absent`: there is no document. `not-found`: unknown, because the whole collection was not
   * searched.
   */
  readonly search: 'found' | 'absent' | 'not-found';
  /** Relaxed Extended JSON; null if no document was found. */
  readonly document: Readonly<Record<string, unknown>> | null;
  /** The document's projection; null without a document, or if the projection fails. */
  readonly expected: SubgraphView | null;
  /** Why the document cannot be projected; null if it can. */
  readonly fault: ViewedFault | null;
  /**
   * Newest first: pending and dead events, and processed events among the outbox's last fifty
   * thousand. At most a hundred of each.
   */
  readonly events: readonly EventView[];
  /** The graph's registry entry; null if there is none. */
  readonly registry: { readonly position: Position; readonly deleted: boolean; readonly elements: number } | null;
  /** The elements in the graph that the document or the registry lists. */
  readonly standing: SubgraphView;
  /** A pending event would change the graph, so differences may disappear soon. */
  readonly isInFlight: boolean;
  readonly differences: readonly Difference[];
}
