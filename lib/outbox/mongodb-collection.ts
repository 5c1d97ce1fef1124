/** The outbox collection, for every part except the writers. */
import type { Collection, Db, Document } from 'mongodb';
import { outboxCollection } from '../contract/outbox-event.ts';

/**
 * MongoDB does not check that text is UTF-8, and here the driver does not either. Otherwise one
 * event with invalid text would fail the read of its whole batch. Where a payload is applied, each
 * event is decoded strictly and separately (`mongodb-read-event.ts`).
 */
export function outboxOf(db: Db): Collection<Document> {
  return db.collection(outboxCollection, { enableUtf8Validation: false });
}
