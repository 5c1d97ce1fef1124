/**
 * The version of the set-up that a database has. An older set-up leaves a newer one as it is: its
 * validator would refuse the events of newer writers, and with them their transactions.
 */

import type { Db } from 'mongodb';
import { contractVersion } from '../contract/outbox-event.ts';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

/**
 * Increase it with every change to the outbox's validator or indexes, and to the constraints of the
 * registry. A test fails if one of them changes without it.
 */
export const setUpVersion = 1;

interface AppliedSetUp {
  readonly _id: string;
  readonly version: number;
  /** Version of the contract that its outbox accepts; set-ups before it recorded none. */
  readonly contract?: number;
}

const documentId = 'set-up';

/**
 * Returns the version of the set-up that the database has if it is newer than this one; null
 * otherwise.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readNewerSetUp(db: Db): Promise<number | null> {
  const applied = await readApplied(db);
  return applied !== null && applied.version > setUpVersion ? applied.version : null;
}

/**
 * Returns the version of the contract that the outbox accepts; null if the set-up recorded none.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function readContractVersion(db: Db): Promise<number | null> {
  return (await readApplied(db))?.contract ?? null;
}

function readApplied(db: Db): Promise<AppliedSetUp | null> {
  return withMongodbFaults(() => db.collection<AppliedSetUp>(identityCollection).findOne({ _id: documentId }));
}

/** Records that this version's set-up was applied. @throws Fault `mongodb-unavailable`. */
export async function recordSetUpVersion(db: Db): Promise<void> {
  await withMongodbFaults(() =>
    db
      .collection<AppliedSetUp>(identityCollection)
      .updateOne(
        { _id: documentId },
        { $max: { version: setUpVersion, contract: contractVersion } },
        { upsert: true, writeConcern: { w: 'majority' } },
      ),
  );
}
