/**
 * What an Atlas Trigger would have sent for an event, after the example in MongoDB's documentation: no Atlas runs here. By default it turns BSON types into plain
 * JSON; it keeps them where its option for Extended JSON is set.
 *
 * https://www.mongodb.com/docs/atlas/atlas-ui/triggers/aws-eventbridge/#example-event
 */
import { type Document, EJSON, type ObjectId, type Timestamp } from 'bson';
import type { RecordedMessage } from './recorded-version.ts';

const source = 'aws.partner/mongodb.com/stitch.trigger/614b4cb6b23f417e5e559c3f';
const region = 'us-east-1';

/** Both forms of the message for the insert of this outbox document. */
export function atlasMessages(database: string, event: Document): readonly RecordedMessage[] {
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
  return [
    { shape: 'atlas-plain', eventId: id.toHexString(), body: JSON.stringify(envelope(event, plain, database)) },
    {
      shape: 'atlas-extended-json',
      eventId: id.toHexString(),
      body: JSON.stringify(envelope(event, extended, database)),
    },
  ];
}

function envelope(event: Document, detail: Document, database: string): Document {
  return {
    version: '0',
    id: 'd2fc426c-8814-3a84-7e80-3a18ec260661',
    'detail-type': `MongoDB Database Trigger for ${database}.outbox`,
    source,
    account: '123456789012',
    time: `${(event.createdAt as Date).toISOString().slice(0, 19)}Z`,
    region,
    resources: [`arn:aws:events:${region}::event-source/${source}`],
    detail,
  };
}
