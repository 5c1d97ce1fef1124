/** What a verification may find. */
import type { Position } from '../../lib/contract/position.ts';
import type { MarkedElement } from '../../lib/graph/stored-graph.ts';

/**
 * - `missing`: a document's aggregate, or an element of it, does not stand in the graph, and nothing is on its way.
 * - `stale`: the graph has an older state of the aggregate.
 * - `changed`: outgraph has written what the document says, and somebody else has changed or removed an element of
 *   it, or the count of those that share one.
 * - `ghost`: the graph has an aggregate without a document, or an element that its aggregate does not list.
 * - `unowned`: an element bears outgraph's marks, and no aggregate that the graph knows lists it.
 * - `dead`: the aggregate's newest event is dead, or its document can never be applied; the graph cannot follow until
 *   somebody mends it.
 */
export const differenceKinds = ['missing', 'stale', 'changed', 'ghost', 'unowned', 'dead'] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/** One difference between the documents and the graph. Never a property's value. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** `aggregateType:aggregateId`; null where no aggregate is known. */
  readonly aggregate: string | null;
  /** The element, where it is about one: a node's identity, or a relationship's type and id. */
  readonly element: string | null;
  /** Of a relationship, where they are known: its type and the identities of its nodes. */
  readonly ends?: { readonly type: string; readonly from: string; readonly to: string };
  /** What is wrong, in words. */
  readonly reason: string;
  /** A relationship between other nodes than it should be. */
  readonly isMisplaced?: true;
}

/**
 * What a repair has to look at: a document whose aggregate is to be recorded, an aggregate without a document, an
 * element that is not as the registry lists it; null for what is not to be repaired, because the reason lies elsewhere.
 */
export type Subject<Id> =
  | { readonly kind: 'document'; readonly aggregateType: string; readonly id: Id; readonly key: string }
  | { readonly kind: 'aggregate'; readonly key: string; readonly position: Position }
  | { readonly kind: 'element'; readonly element: MarkedElement }
  | null;

/** A difference, and what it is about. */
export interface Found<Id> {
  readonly difference: Difference;
  readonly subject: Subject<Id>;
}

/** Told of each difference; the verification goes on when it has returned. */
export type Tell<Id> = (found: Found<Id>) => void | Promise<void>;

/** How many of each kind. */
export type DifferenceCounts = Readonly<Record<DifferenceKind, number>>;

/** Counts what it hands on. */
export class DifferenceReport<Id> {
  readonly #counts = Object.fromEntries(differenceKinds.map((kind) => [kind, 0])) as Record<DifferenceKind, number>;
  readonly #tell: Tell<Id>;

  constructor(tell: Tell<Id>) {
    this.#tell = tell;
  }

  readonly addAll = async (all: readonly Found<Id>[]): Promise<void> => {
    for (const found of all) {
      this.#counts[found.difference.kind] += 1;
      await this.#tell(found);
    }
  };

  get counts(): DifferenceCounts {
    return { ...this.#counts };
  }
}
