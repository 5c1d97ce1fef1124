/** Projects a stored document as its event would be projected. */

import { Fault } from '../../lib/contract/fault.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../lib/projection/project.ts';
import type { DocumentState } from '../verify/ports.ts';
import type { DocumentId, StoredDocument } from './mongodb-documents.ts';

/** Replaces unreadable text in a damaged document. An id with it could be another document's. */
const replaced = '\u{fffd}';

/** The state of a document; if it can never be applied, with the fault that says why. */
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
    const fault = new Fault('projection-failed', 'The aggregate has no id for this document.', { cause: error });
    return { id, aggregateId, subgraph: damage ?? (error instanceof Fault ? error : fault) };
  }
}
