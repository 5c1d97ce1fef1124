/**
 * The aggregate types of the set-up's catalog. A part with an older catalog must not mark an event
 * dead whose type a newer deployment declares.
 */
import type { Db } from 'mongodb';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

interface DeclaredTypes {
  readonly _id: string;
  readonly aggregateTypes: readonly string[];
}

const documentId = 'catalog';

/** Stores the types of the set-up's catalog. @throws Fault `mongodb-unavailable`. */
export async function writeDeclaredTypes(db: Db, aggregateTypes: readonly string[]): Promise<void> {
  await withMongodbFaults(() =>
    db
      .collection<DeclaredTypes>(identityCollection)
      .updateOne({ _id: documentId }, { $set: { aggregateTypes } }, { upsert: true, writeConcern: { w: 'majority' } }),
  );
}

/**
 * Returns the types of the latest set-up; none if an older version has set up the database.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readDeclaredTypes(db: Db): Promise<ReadonlySet<string>> {
  const found = await withMongodbFaults(() =>
    db.collection<DeclaredTypes>(identityCollection).findOne({ _id: documentId }),
  );
  return new Set(found?.aggregateTypes);
}
