/**
 * Derives events from documents before and after a write. A write that changes no stored byte, or
 * nothing that the payload's schema reads, records no event.
 */
import { Fault } from '../contract/fault.ts';
import type { AggregateDefinition } from '../projection/define-aggregate.ts';
import type { AggregateChange, RecordOptions } from './record-event.ts';
import { isSamePayload } from './same-payload.ts';
import { idKey, type StoredDocument } from './stored-document.ts';

/**
 * Returns the changes between two images of the same documents, matched by `_id`. A document only
 * in `after` was inserted; one only in `before` was deleted.
 *
 * @throws Fault `event-invalid` if a document's aggregate id changed. Another document may have had
 * that id a moment before, or take it in a later chunk of the same write. The events of one id
 * would then be in the wrong order.
 */
export function documentChanges<State>(
  definition: AggregateDefinition<State>,
  before: readonly StoredDocument[],
  after: readonly StoredDocument[],
  { recordUnchanged = false }: Pick<RecordOptions, 'recordUnchanged'> = {},
): readonly AggregateChange[] {
  const old = new Map(before.map((stored) => [idKey(stored.document._id), stored]));
  const changes: AggregateChange[] = [];
  for (const { bytes, document } of after) {
    const known = old.get(idKey(document._id));
    old.delete(idKey(document._id));
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) continue;
    const aggregateId = definition.id(document);
    if (known !== undefined && definition.id(known.document) !== aggregateId) throw idChanged(definition.type);
    if (known !== undefined && !recordUnchanged && isSamePayload(definition, known.document, document)) continue;
    changes.push({ operation: 'upsert', aggregateId, payload: document });
  }
  for (const { document } of old.values()) changes.push({ operation: 'delete', aggregateId: definition.id(document) });
  return changes;
}

function idChanged(type: string): Fault {
  return new Fault(
    'event-invalid',
    `aggregateId: the write changes the aggregate id of a "${type}", which must stay the same while the ` +
      'document exists. Delete the document and insert it with the new id.',
  );
}
