/** A claim that the graph cannot grant now, and may grant later. */

/**
 * The state of the aggregate `refused` cannot be applied as long as another aggregate holds an element or a value.
 *
 * - `ownership-conflict`: another aggregate lists the node already.
 * - `constraint-violation`: another node or relationship has a value that a unique constraint of the user's allows
 *   only once.
 */
export interface Conflict {
  readonly code: 'ownership-conflict' | 'constraint-violation';
  readonly refused: string;
  /** The aggregate that holds it; null if it is not known: a shared node does not name its aggregates. */
  readonly holder: string | null;
  /** The identity of the node if it is shared, to find its aggregates by. */
  readonly sharedNode: string | null;
  /** The node's label and key, or the constraint, for people. */
  readonly element: string;
  /** The holder has it in the graph; otherwise it is a rival of the same batch, which may yet be refused itself. */
  readonly standing: boolean;
}

/** The sentence for the outbox. */
export function conflictText(
  { code, refused, element, holder, sharedNode }: Conflict,
  sharer: string | undefined,
): string {
  if (code === 'constraint-violation')
    return `A unique constraint of the graph refuses the write (${element}): ${holder ?? 'an element that outgraph does not own'} has the same value.`;
  const held = sharedNode === null ? 'belongs to' : 'is shared by';
  return `${element} is listed by ${refused}, but ${held} ${holder ?? sharer ?? 'another aggregate'}; a node has one owner, or is shared.`;
}
