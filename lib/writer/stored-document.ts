/**
 * Documents as their stored bytes. Only bytes show every change. For example, a date beyond
 * JavaScript's range is decoded to an invalid date.
 */
import { BSON, type BSONSerializeOptions, type Document, type Timestamp } from 'mongodb';
import { bsonTypeOf } from '../contract/bson-type.ts';
import { exactTypes, lenientTypes } from '../contract/exact-types.ts';
import { Fault } from '../contract/fault.ts';

export interface StoredDocument {
  readonly bytes: Uint8Array;
  /** Decoded, with every BSON type kept. */
  readonly document: Document;
}

/**
 * Decodes a document as it was before a write. Invalid UTF-8 is replaced, so that such a document
 * can be corrected or deleted.
 */
export function readBefore(bytes: Uint8Array): StoredDocument {
  return { bytes, document: BSON.deserialize(bytes, lenientTypes) };
}

/**
 * Decodes a document that was just written.
 *
 * @throws Fault `event-invalid` if it contains invalid UTF-8.
 */
export function readAfter(bytes: Uint8Array): StoredDocument {
  try {
    return { bytes, document: BSON.deserialize(bytes, exactTypes) };
  } catch (error) {
    throw new Fault('event-invalid', 'payload: the document cannot be decoded. Store text as UTF-8.', { cause: error });
  }
}

/**
 * Returns a document as MongoDB will store it when it is inserted with these options. This saves
 * reading it back. Null if only the server knows: it fills in empty timestamps and creates a
 * missing `_id`.
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
  // The server stores `_id` first.
  return { _id, ...fields };
}

function isEmptyTimestamp(value: unknown): boolean {
  const { _bsontype, t, i } = (value ?? {}) as Partial<Timestamp>;
  return _bsontype === 'Timestamp' && t === 0 && i === 0;
}

/** Returns the same text for ids that are equal to MongoDB: it compares numbers of all types. */
export function idKey(id: unknown): string {
  const type = bsonTypeOf(id) ?? typeof id;
  if (type === 'Long' || type === 'bigint') return `number ${id}`;
  if (type === 'Int32' || type === 'Double' || type === 'number') {
    const number = Number(id);
    return `number ${Number.isInteger(number) ? BigInt(number) : number}`;
  }
  return BSON.EJSON.stringify(id, { relaxed: false });
}

/** Returns a value as the driver returns it with these options. */
export function asRead<Value>(value: unknown, options: BSONSerializeOptions): Value {
  const { promoteValues = true, promoteLongs = true, promoteBuffers = false, useBigInt64 = false } = options;
  const readOptions = { promoteValues, promoteLongs, promoteBuffers, useBigInt64 };
  return BSON.deserialize(BSON.serialize({ value }), readOptions).value as Value;
}
