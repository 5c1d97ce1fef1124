/** What an insert stores, without reading it back: one round trip less in every insert's transaction. */
import { BSON, type BSONSerializeOptions, type Document, type Timestamp } from 'mongodb';
import { exactTypes } from '../mongodb/read-outbox-event.ts';

/**
 * A document as it is stored once it has been inserted with these options; null where only the server knows: it puts its time in the place of an
 * empty timestamp, and makes an `_id` that is missing.
 *
 * https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps
 */
export function asStored(document: Document, options: BSONSerializeOptions): Document | null {
  const { ignoreUndefined = false, serializeFunctions = false } = options;
  const { _id, ...fields } = BSON.deserialize(
    BSON.serialize(document, { ignoreUndefined, serializeFunctions }),
    exactTypes,
  );
  if (_id === undefined || Object.values(fields).some(isEmptyTimestamp)) return null;
  // The server puts it first.
  return { _id, ...fields };
}

function isEmptyTimestamp(value: unknown): boolean {
  const { _bsontype, t, i } = (value ?? {}) as Partial<Timestamp>;
  return _bsontype === 'Timestamp' && t === 0 && i === 0;
}
