/** From a stored document to the subgraph that it stands for, as its event would be projected. */
import type { Document } from 'mongodb';
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import { projectPayload } from '../aggregates/project-event.ts';
import { Fault } from '../contract/fault.ts';
import type { DocumentId } from '../mongodb/list-documents.ts';
import type { DocumentState } from '../verify/verify-ports.ts';

/** The state of a document that was read with its exact BSON types; where it can never be applied, with the fault that says why. */
export function stateOf(definition: AggregateDefinition, document: Document): DocumentState<DocumentId> {
  const id: DocumentId = document._id;
  let aggregateId: string | null = null;
  try {
    aggregateId = definition.id(document);
    return { id, aggregateId, subgraph: projectPayload(definition, aggregateId, document) };
  } catch (error) {
    const fault = new Fault('projection-failed', 'The aggregate has no id for this document.', { cause: error });
    return { id, aggregateId, subgraph: error instanceof Fault ? error : fault };
  }
}
