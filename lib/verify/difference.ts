/** What a verification may find. */

/**
 * - `missing`: a document's aggregate, or an element of it, does not stand in the graph, and nothing is on its way.
 * - `stale`: the graph has an older state of the aggregate.
 * - `changed`: outgraph has written what the document says, and somebody else has changed or removed an element of it.
 * - `ghost`: the graph has an aggregate without a document, or an element that its aggregate does not list.
 * - `unowned`: an element bears outgraph's marks, and no aggregate that the graph knows lists it.
 * - `dead`: the aggregate's newest event is dead, or its document can never be applied; the graph cannot follow until somebody mends it.
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
  /** What is wrong, in words. */
  readonly reason: string;
}

/** How many of each kind. */
export type DifferenceCounts = Readonly<Record<DifferenceKind, number>>;

/** Counts what it hands on. */
export class DifferenceReport {
  readonly #counts = Object.fromEntries(differenceKinds.map((kind) => [kind, 0])) as Record<DifferenceKind, number>;
  readonly #tell: (difference: Difference) => void;

  constructor(tell: (difference: Difference) => void) {
    this.#tell = tell;
  }

  readonly add = (difference: Difference): void => {
    this.#counts[difference.kind] += 1;
    this.#tell(difference);
  };

  get counts(): DifferenceCounts {
    return { ...this.#counts };
  }
}
