/** Projects a stored document as its event would be projected. */

import { Fault } from '../../lib/contract/fault.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../lib/projection/project.ts';
import type { DocumentState } from '../verify/ports.ts';
import type { DocumentId, StoredDocument } from './mongodb-documents.ts';

/**
 * Replaces bytes that are not UTF-8 in a damaged document. An id that contains it could belong to
 * another document.
 */
const replaced = '\u{fffd}';

/** The state of a document. If it can never be applied, the fault explains why. */
export function stateOf(
  definition: AggregateDefinition,
  { id, document, damage }: StoredDocument,
): DocumentState<DocumentId> {
  let aggregateId: string | null = null;
  try {
    aggregateId = definition.id(document);
    if (damage !== null)
      return { id, aggregateId: aggregateId.includes(replaced) ? null : aggregateId, subgraph: damage };
    return { id, aggregateId, subgraph: projectPayload(definition, aggregateId, document) };
  } catch (error) {
    const fault = new Fault('projection-failed', "The aggregate's id function failed for this document.", {
      cause: error,
    });
    return { id, aggregateId, subgraph: damage ?? (error instanceof Fault ? error : fault) };
  }
}
