/** Records documents for an operator's command, of which single ones may be damaged. */
import { BSON, type Db } from 'mongodb';
import { Fault } from '../../lib/contract/fault.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { RecordedPart } from '../backfill/record-all.ts';
import { type DocumentId, readDocuments } from './mongodb-documents.ts';
import { recordCurrentStates } from './mongodb-record-current-states.ts';

/**
 * As `recordCurrentStates`; documents that cannot be decoded are among the unrecordable ones, and the others recorded.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function recordDocuments(
  db: Db,
  definition: AggregateDefinition,
  ids: readonly DocumentId[],
): Promise<RecordedPart<DocumentId>> {
  try {
    return await recordCurrentStates(db.client, db, definition, ids);
  } catch (error) {
    if (!(error instanceof Fault && error.cause instanceof BSON.BSONError)) throw error;
    const stored = await readDocuments(db.collection(definition.collection), ids);
    const damaged = stored.flatMap(({ id, damage }) => (damage === null ? [] : [{ id, reason: damage.message }]));
    if (damaged.length === 0) throw error;
    const sound = stored.filter(({ damage }) => damage === null).map(({ id }) => id);
    const part = await recordCurrentStates(db.client, db, definition, sound);
    return { ...part, unrecordable: [...part.unrecordable, ...damaged] };
  }
}
