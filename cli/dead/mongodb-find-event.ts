/**
 * One event with all of its fields, for an operator; also one that was written past the validator, or that is
 * discarded.
 */
import { type Binary, BSON, type Collection, type Document, ObjectId } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { exactTypes, lenientTypes } from '../../lib/outbox/mongodb-read-event.ts';

/** By its id, with every BSON type; null if there is none. @throws Fault `mongodb-unavailable`. */
export async function findEvent(collection: Collection<Document>, eventId: string): Promise<Document | null> {
  const found = await withMongodbFaults(() =>
    collection.findOne({ _id: ObjectId.createFromHexString(eventId) }, exactTypes),
  );
  // What was discarded as bytes.
  const bytes = bsonTypeOf(found?.bson) === 'Binary' ? (found?.bson as Binary).value() : null;
  return bytes === null ? found : { ...found, ...BSON.deserialize(bytes, lenientTypes) };
}
