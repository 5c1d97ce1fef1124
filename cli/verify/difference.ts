/** The differences that a verification finds. */
import type { Position } from '../../lib/contract/position.ts';
import type { MarkedElement } from '../../lib/graph/stored-graph.ts';

/**
 * - `missing`: a document's aggregate, or an element of it, is not in the graph, and no event is
 *   pending.
 * - `stale`: the graph has an older state of the aggregate.
 * - `changed`: outgraph wrote the document's state, and another program then changed or removed an
 *   element of it, or its share count.
 * - `ghost`: the graph has an aggregate without a document, or an element that its aggregate does
 *   not list.
 * - `unowned`: an element has outgraph's marks, but no aggregate in the graph lists it.
 * - `dead`: the aggregate's newest event is dead, or its document can never be applied. The graph
 *   stays behind until the cause is fixed.
 */
export const differenceKinds = ['missing', 'stale', 'changed', 'ghost', 'unowned', 'dead'] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** One difference between the documents and the graph. Never contains a property's value. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** `aggregateType:aggregateId`; null if the aggregate is unknown. */
  readonly aggregate: string | null;
  /**
   * A node's identity, or a relationship's type and id; null if the difference is about a whole
   * aggregate.
   */
  readonly element: string | null;
  /** A relationship's type and the identities of its nodes, if known. */
  readonly ends?: { readonly type: string; readonly from: string; readonly to: string };
  /** The problem, as text. */
  readonly reason: string;
  /** The relationship is between the wrong nodes. */
  readonly isMisplaced?: true;
}

/**
 * The subject of a repair: a document to record, an aggregate without a document, or an element
 * that differs from the registry. Null if a repair cannot help because the cause is elsewhere.
 */
export type Subject<Id> =
  | { readonly kind: 'document'; readonly aggregateType: string; readonly id: Id; readonly key: string }
  | { readonly kind: 'aggregate'; readonly key: string; readonly position: Position }
  | { readonly kind: 'element'; readonly element: MarkedElement }
  | null;

export interface Found<Id> {
  readonly difference: Difference;
  readonly subject: Subject<Id>;
}

/** Receives each difference. The verification continues when it returns. */
export type OnDifference<Id> = (found: Found<Id>) => void | Promise<void>;

export type DifferenceCounts = Readonly<Record<DifferenceKind, number>>;

/** Passes differences on, and counts them. */
export class DifferenceReport<Id> {
  readonly #counts = Object.fromEntries(differenceKinds.map((kind) => [kind, 0])) as Record<DifferenceKind, number>;
  readonly #onDifference: OnDifference<Id>;

  constructor(onDifference: OnDifference<Id>) {
    this.#onDifference = onDifference;
  }

  readonly addAll = async (all: readonly Found<Id>[]): Promise<void> => {
    for (const found of all) {
      this.#counts[found.difference.kind] += 1;
      await this.#onDifference(found);
    }
  };

  get counts(): DifferenceCounts {
    return { ...this.#counts };
  }
}
