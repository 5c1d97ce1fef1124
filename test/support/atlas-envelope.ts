/**
 * The envelope that an Atlas Trigger puts around a change event, based on the examples in MongoDB's
 * documentation, because Atlas does not run here. By default, the trigger converts BSON types to
 * plain JSON; with its option for Extended JSON, it keeps them.
 *
 * https://www.mongodb.com/docs/atlas/atlas-ui/triggers/aws-eventbridge/
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
import { type Document, EJSON } from 'bson';

/** The partner event source of one trigger; its bus has the same name. */
export const triggerSource = 'aws.partner/mongodb.com/stitch.trigger/614b4cb6b23f417e5e559c3f';

const region = 'us-east-1';

/** The envelope as the rule's target receives it. */
export interface AtlasEnvelope {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Document;
}

/** Creates the envelope of a detail. */
export function atlasEnvelope(database: string, detail: Document, time: Date): AtlasEnvelope {
  return {
    version: '0',
    id: 'd2fc426c-8814-3a84-7e80-3a18ec260661',
    'detail-type': `MongoDB Database Trigger for ${database}.outbox`,
    source: triggerSource,
    account: '123456789012',
    time: `${time.toISOString().slice(0, 19)}Z`,
    region,
    resources: [`arn:aws:events:${region}::event-source/${triggerSource}`],
    detail,
  };
}

/** A change event as a detail, in both forms. */
export function atlasDetails(change: Document): readonly [plain: Document, extendedJson: Document] {
  return [JSON.parse(JSON.stringify(change)) as Document, EJSON.serialize(change, { relaxed: false })];
}
