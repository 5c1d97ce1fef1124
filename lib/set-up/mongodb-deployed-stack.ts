/**
 * The CloudFormation stack that an outbox belongs to. The functions of two stacks, of two stages or
 * of two regions, would each publish and sweep the same events, and each alarm about the other.
 */

import type { Db } from 'mongodb';
import { Fault } from '../contract/fault.ts';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

interface Owner {
  readonly _id: string;
  /** Null after `set-up --adopt`, until the next deployment. */
  readonly stack: string | null;
}

const documentId = 'stack';
const majority = { writeConcern: { w: 'majority' } } as const;

/**
 * Returns the account, region and name of a stack from its ARN, without the id at the end, which is
 * another one when a removed stack is deployed again.
 */
export function stackOfArn(arn: string): string {
  return arn.split('/').slice(0, 2).join('/');
}

/**
 * Gives the outbox to this stack, unless it belongs to one.
 *
 * @throws Fault `configuration-invalid` if it belongs to another stack; `mongodb-unavailable`.
 */
export async function claimOutbox(db: Db, stack: string): Promise<void> {
  // In one step, so that one of two concurrent set-ups is refused.
  const owner = await withMongodbFaults(() =>
    db
      .collection<Owner>(identityCollection)
      .findOneAndUpdate({ _id: documentId }, [{ $set: { stack: { $ifNull: ['$stack', { $literal: stack }] } } }], {
        upsert: true,
        returnDocument: 'after',
        ...majority,
      }),
  );
  if (owner?.stack === stack) return;
  throw new Fault(
    'configuration-invalid',
    `MONGODB_DATABASE: the outbox of the database ${db.databaseName} belongs to the stack ${owner?.stack}, not to ` +
      `${stack}. Give each stage and region a database of its own. If the other stack was removed, let the next ` +
      'deployment have the outbox: npx outgraph set-up --adopt.',
  );
}

/** Lets the next deployment have the outbox. @throws Fault `mongodb-unavailable`. */
export async function releaseOutbox(db: Db): Promise<void> {
  await withMongodbFaults(() =>
    db.collection<Owner>(identityCollection).updateOne({ _id: documentId }, { $set: { stack: null } }, majority),
  );
}
