/** From documents before and after a write to the events they need: compared as the bytes that are stored, so that a write that changed nothing makes no event. */
import { BSON, type Document } from 'mongodb';
import type { AggregateDefinition } from '../aggregates/define-aggregate.ts';
import type { AggregateChange } from './record-event.ts';

/**
 * The changes between two images of the same documents, matched by `_id`. A document that is only in `after` was inserted, one that is only in
 * `before` was deleted; one whose aggregate id changed is a deletion of the old aggregate and an upsert of the new.
 */
export function documentChanges<State>(
  definition: AggregateDefinition<State>,
  before: readonly Document[],
  after: readonly Document[],
): readonly AggregateChange[] {
  const old = new Map(before.map((document) => [idText(document), document]));
  const changes: AggregateChange[] = [];
  for (const document of after) {
    const known = old.get(idText(document));
    old.delete(idText(document));
    if (known !== undefined && isSame(known, document)) continue;
    const aggregateId = definition.id(document);
    if (known !== undefined && definition.id(known) !== aggregateId)
      changes.push({ operation: 'delete', aggregateId: definition.id(known) });
    changes.push({ operation: 'upsert', aggregateId, payload: document });
  }
  for (const document of old.values()) changes.push({ operation: 'delete', aggregateId: definition.id(document) });
  // Deletions first: an id that one document gave up and another took over must end with the other's state.
  return [
    ...changes.filter((change) => change.operation === 'delete'),
    ...changes.filter((change) => change.operation === 'upsert'),
  ];
}

function idText(document: Document): string {
  return BSON.EJSON.stringify(document._id, { relaxed: false });
}

function isSame(left: Document, right: Document): boolean {
  return Buffer.compare(BSON.serialize(left), BSON.serialize(right)) === 0;
}
