/**
 * Which aggregate types the set-up knew: a part with another catalog must not give up the events of a type that a newer
 * deployment declares.
 */
import type { Db } from 'mongodb';
import { identityCollection } from '../outbox/collections.ts';
import { withMongodbFaults } from '../outbox/mongodb-errors.ts';

interface DeclaredTypes {
  readonly _id: string;
  readonly aggregateTypes: readonly string[];
}

const documentId = 'catalog';

/** Notes the types of the catalog that the set-up runs with. @throws Fault `mongodb-unavailable`. */
export async function writeDeclaredTypes(db: Db, aggregateTypes: readonly string[]): Promise<void> {
  await withMongodbFaults(() =>
    db
      .collection<DeclaredTypes>(identityCollection)
      .updateOne({ _id: documentId }, { $set: { aggregateTypes } }, { upsert: true, writeConcern: { w: 'majority' } }),
  );
}

/**
 * The types of the newest set-up; none where an older version has set the database up.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function readDeclaredTypes(db: Db): Promise<ReadonlySet<string>> {
  const found = await withMongodbFaults(() =>
    db.collection<DeclaredTypes>(identityCollection).findOne({ _id: documentId }),
  );
  return new Set(found?.aggregateTypes);
}
