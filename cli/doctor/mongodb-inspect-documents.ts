/** Collects facts for the doctor about collections of documents: problems for their aggregates. */
import type { Db } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { readIndexes } from '../../lib/set-up/mongodb-outbox.ts';
import { idText, readDocuments } from '../documents/mongodb-documents.ts';
import { idsOfText } from '../documents/mongodb-find-document.ts';

/** A problem in a collection, as text. */
export interface CollectionProblem {
  readonly collection: string;
  readonly problem: string;
}

/**
 * The collections with a TTL index. The problem is the index's name.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function findTtlIndexes(db: Db, collections: readonly string[]): Promise<readonly CollectionProblem[]> {
  const found: CollectionProblem[] = [];
  for (const collection of collections)
    for (const { name, expireAfterSeconds } of (await readIndexes(db.collection(collection))) ?? [])
      if (expireAfterSeconds !== undefined) found.push({ collection, problem: String(name) });
  return found;
}

/** Strings that can also be an `_id` of another type: an integer, an ObjectId or a UUID. */
const twinText = /^(-?\d{1,19}|[0-9a-f]{24}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The doctor does not read whole collections; `verify` does. */
const maxTexts = 10_000;
const maxTwins = 1_000;

/**
 * Finds documents of the same aggregate whose ids differ only in their type. Checks the first
 * documents whose `_id` is a string.
 *
 * @throws Fault `mongodb-unavailable`, `permission-denied`.
 */
export async function findIdClashes(
  db: Db,
  definitions: readonly Pick<AggregateDefinition, 'collection' | 'id'>[],
): Promise<readonly CollectionProblem[]> {
  const found: CollectionProblem[] = [];
  for (const { collection: name, id: aggregateId } of definitions) {
    const collection = db.collection(name);
    const texts = await withMongodbFaults(() =>
      collection
        .aggregate([
          { $match: { _id: { $type: 'string' } } },
          { $limit: maxTexts },
          { $match: { _id: { $regex: twinText } } },
          { $limit: maxTwins },
          { $project: { _id: 1 } },
        ])
        .toArray(),
    );
    if (texts.length === 0) continue;
    const twins = await readDocuments(
      collection,
      texts.flatMap(({ _id }) => idsOfText(String(_id))),
    );
    const byAggregate = Map.groupBy(twins, ({ document }) => textOrNull(() => aggregateId(document)));
    for (const [aggregate, members] of byAggregate)
      if (aggregate !== null && members.length > 1)
        found.push({ collection: name, problem: members.map(({ id }) => idText(id)).join(' and ') });
  }
  return found;
}

function textOrNull(text: () => string): string | null {
  try {
    return text();
  } catch {
    return null;
  }
}
