/** The outbox of a database, as every part but the writers reads it. */
import type { Collection, Db, Document } from 'mongodb';
import { outboxCollection } from '../contract/outbox-event.ts';

/**
 * MongoDB does not check that texts are UTF-8. Here the driver does not either: one event with a wrong text would end
 * the read of all that come with it. Where a payload is applied, each event is decoded strictly, on its own
 * (`read-outbox-event.ts`).
 */
export function outboxOf(db: Db): Collection<Document> {
  return db.collection(outboxCollection, { enableUtf8Validation: false });
}
