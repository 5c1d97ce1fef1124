/** From a stored document to the subgraph that it stands for, as its event would be projected. */

import { Fault } from '../../lib/contract/fault.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { projectPayload } from '../../lib/projection/project.ts';
import type { DocumentState } from '../verify/ports.ts';
import type { DocumentId, StoredDocument } from './mongodb-documents.ts';

/** Stands in a damaged document for what cannot be read: an id with it may be that of another document. */
const replaced = '\u{fffd}';

/** The state of a document; where it can never be applied, with the fault that says why. */
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
