/** A claim that the graph cannot grant now but may grant later. */

/**
 * The state of the aggregate `refused` cannot be applied while another aggregate holds an element
 * or a value.
 *
 * - `ownership-conflict`: another aggregate already lists the node.
 * - `constraint-violation`: another node or relationship has a value that a constraint of the user
 *   requires to be unique.
 */
export interface Conflict {
  readonly code: 'ownership-conflict' | 'constraint-violation';
  readonly refused: string;
  /** The aggregate that holds it; null if unknown: a shared node does not name its aggregates. */
  readonly holder: string | null;
  /** The node's identity if it is shared, to look up its aggregates. */
  readonly sharedNode: string | null;
  /** The node's label and key, or the constraint, for messages. */
  readonly element: string;
  /** False if the holder is a rival in the same batch, which may be refused too. */
  readonly heldInGraph: boolean;
}

/** The message of the dead event in the outbox. */
export function conflictText(
  { code, refused, element, holder, sharedNode }: Conflict,
  sharer: string | undefined,
): string {
  if (code === 'constraint-violation')
    return (
      `A unique constraint of the graph refuses the write (${element}): ` +
      `${holder ?? 'an element that outgraph does not own'} has the same value.`
    );
  const held = sharedNode === null ? 'belongs to' : 'is shared by';
  return (
    `${element} is listed by ${refused}, but ${held} ${holder ?? sharer ?? 'another aggregate'}. ` +
    'A node has one owner, or is shared: list it in one aggregate only, or as shared in all of them.'
  );
}
