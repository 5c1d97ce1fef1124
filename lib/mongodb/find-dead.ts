/** The dead events that a redrive is about, for a person who has mended what they died of. */
import { type Collection, type Document, type Filter, ObjectId } from 'mongodb';
import type { DeadSelection } from '../contract/dead-selection.ts';
import { withMongodbFaults } from './translate-error.ts';

const deadIndex = 'outgraph_dead';

/** How many events are meant that died before `until`. @throws Fault `mongodb-unavailable`. */
export async function countDead(outbox: Collection<Document>, selection: DeadSelection, until: Date): Promise<number> {
  return withMongodbFaults(() => outbox.countDocuments(deadFilter(selection, until), { hint: deadIndex }));
}

/**
 * Ids of the meant events that died before `until`, those that died first first. What dies again while a redrive is under way is not among them.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findDead(
  outbox: Collection<Document>,
  selection: DeadSelection,
  until: Date,
  limit: number,
): Promise<readonly string[]> {
  const found = await withMongodbFaults(() =>
    outbox
      .find(deadFilter(selection, until), { projection: { _id: 1 } })
      .sort({ deadAt: 1 })
      .hint(deadIndex)
      .limit(limit)
      .toArray(),
  );
  return found.map(({ _id }) => String(_id));
}

function deadFilter({ codes, aggregateTypes, eventIds }: DeadSelection, until: Date): Filter<Document> {
  return {
    status: 'dead',
    deadAt: { $lt: until },
    ...(codes.length === 0 ? {} : { 'error.code': { $in: [...codes] } }),
    ...(aggregateTypes.length === 0 ? {} : { aggregateType: { $in: [...aggregateTypes] } }),
    ...(eventIds.length === 0 ? {} : { _id: { $in: eventIds.map(ObjectId.createFromHexString) } }),
  };
}
