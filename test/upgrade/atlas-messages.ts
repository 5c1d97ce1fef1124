/**
 * The messages that an Atlas Trigger without a projection sends for an event, in both forms, as
 * recorded for every version.
 */
import { type Document, EJSON, type ObjectId, type Timestamp } from 'bson';
import { atlasEnvelope } from '../support/atlas-envelope.ts';
import type { RecordedMessage } from './recorded-version.ts';

/** Both forms of the message for the insertion of this outbox document. */
export function atlasMessages(database: string, event: Document): readonly [RecordedMessage, RecordedMessage] {
  const id = event._id as ObjectId;
  const position = event.position as Timestamp;
  const ns = { db: database, coll: 'outbox' };
  const token = { _data: `82${position.toString(16).padStart(16, '0')}2B022C0100296E5A1004` };
  const { payload, ...pointer } = event;
  const plain = {
    _id: token,
    operationType: 'insert',
    clusterTime: { T: position.t, I: position.i },
    fullDocument: { ...pointer, _id: id.toHexString(), position: { T: position.t, I: position.i } },
    ns,
    documentKey: { _id: id.toHexString() },
  };
  const change = {
    _id: token,
    operationType: 'insert',
    clusterTime: position,
    fullDocument: event,
    ns,
    documentKey: { _id: id },
  };
  const extended = EJSON.serialize(change, { relaxed: false });
  const body = (detail: Document) => JSON.stringify(atlasEnvelope(database, detail, event.createdAt as Date));
  return [
    { shape: 'atlas-plain', eventId: id.toHexString(), body: body(plain) },
    { shape: 'atlas-extended-json', eventId: id.toHexString(), body: body(extended) },
  ];
}
