/**
 * Collects facts for the doctor about outgraph's collections: how they differ from this version's
 * set-up.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Db, Document, IndexDescriptionInfo } from 'mongodb';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { authorizedNames, purgeIndex } from '../../lib/outbox/collections.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import { forgetFields, forgetIndex, forgetSeconds, indexes } from '../../lib/set-up/mongodb-outbox.ts';
import { outboxValidator } from '../../lib/set-up/mongodb-validator.ts';
import { mayDoAnything, readUserPrivileges } from './mongodb-inspect-user.ts';

/** Collections that do not exist, and collections that this user may not see. */
export interface CollectionFacts {
  readonly missing: readonly string[];
  readonly unseen: readonly string[];
}

/** @throws Fault `mongodb-unavailable`. */
export async function findCollections(db: Db, names: readonly string[]): Promise<CollectionFacts> {
  const listed = await withMongodbFaults(() => db.listCollections({}, authorizedNames).toArray());
  const present = new Set(listed.map(({ name }) => name));
  const user = await readUserPrivileges(db);
  const absent = names.filter((name) => !present.has(name));
  const isSeen = (name: string) => user.name === null || mayDoAnything(user, db.databaseName, name);
  return { missing: absent.filter(isSeen), unseen: absent.filter((name) => !isSeen(name)) };
}

export interface ValidatorFacts {
  /** `other`: from another version, or changed by hand. */
  readonly state: 'none' | 'other' | 'same';
  readonly level: string;
  readonly action: string;
}

/**
 * @throws Fault `mongodb-unavailable`; `permission-denied` without `listCollections` on the
 * database.
 */
export async function readValidator(db: Db): Promise<ValidatorFacts> {
  const [outbox] = await withMongodbFaults(() => db.listCollections({ name: outboxCollection }).toArray());
  const options: Document = (outbox !== undefined && 'options' in outbox ? outbox.options : undefined) ?? {};
  const { validator, validationLevel: level = 'strict', validationAction: action = 'error' } = options;
  if (validator === undefined) return { state: 'none', level, action };
  return { state: isDeepStrictEqual(validator, outboxValidator()) ? 'same' : 'other', level, action };
}

/** An index that differs from the set-up's. */
export interface IndexProblem {
  readonly collection: string;
  readonly index: string;
  /** Continues a sentence that starts with the index. */
  readonly problem: string;
}

interface Wanted {
  readonly collection: string;
  readonly name: string;
  readonly key: Document;
  readonly filter?: Document | undefined;
  readonly expireAfterSeconds?: number;
}

/** Every index of the set-up. The purge's retention is a setting, so it is not included. */
const wanted: readonly Wanted[] = [
  ...indexes.map(({ name = '', key, partialFilterExpression: filter }) => {
    return { collection: outboxCollection, name, key: key as Document, filter };
  }),
  { collection: outboxCollection, name: purgeIndex, key: { processedAt: 1 } },
  ...forgetFields.map(({ collection, field }) => {
    return { collection, name: forgetIndex, key: { [field]: 1 }, expireAfterSeconds: forgetSeconds };
  }),
];

/**
 * Checks all collections whose indexes the user may list.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied` for the outbox.
 */
export async function findIndexProblems(db: Db): Promise<readonly IndexProblem[]> {
  const user = await readUserPrivileges(db);
  const problems: IndexProblem[] = [];
  for (const collection of new Set(wanted.map((one) => one.collection))) {
    const mayList = collection === outboxCollection || user.may(db.databaseName, collection, 'listIndexes');
    if (!mayList) continue;
    const present = await withMongodbFaults(() => db.collection(collection).indexes());
    for (const one of wanted.filter((index) => index.collection === collection)) {
      const problem = problemOf(
        one,
        present.find(({ name }) => name === one.name),
      );
      if (problem !== null) problems.push({ collection, index: one.name, problem });
    }
  }
  return problems;
}

function problemOf(index: Wanted, found: IndexDescriptionInfo | undefined): string | null {
  // The check of the retention reports a missing purge index.
  if (found === undefined) return index.name === purgeIndex ? null : 'is missing';
  // The order of the fields is part of a key.
  if (JSON.stringify(found.key) !== JSON.stringify(index.key)) return 'has different fields';
  if (!isDeepStrictEqual(found.partialFilterExpression, index.filter)) return 'has a different filter';
  if (index.expireAfterSeconds !== undefined && found.expireAfterSeconds !== index.expireAfterSeconds)
    return 'has a different expiry time';
  return found.hidden === true ? 'is hidden: queries do not use it' : null;
}
