/**
 * The dead events that a person means: to look at, to redrive, or to discard. Every read is by the index of the dead,
 * or by the ids that are meant.
 */
import { type Collection, type Document, type Filter, ObjectId } from 'mongodb';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DeadDetails, DeadGroup, DeadRow } from './dead-list.ts';
import type { DeadSelection } from './dead-selection.ts';
import { toDeadDetails, toDeadRow } from './mongodb-read-dead-event.ts';

/** How many events are meant that died before `until`. @throws Fault `mongodb-unavailable`. */
export async function countDead(outbox: Collection<Document>, selection: DeadSelection, until: Date): Promise<number> {
  return withMongodbFaults(() =>
    outbox.countDocuments({ ...deadFilter(selection), deadAt: { $lt: until } }, { hint: indexFor(selection) }),
  );
}

/**
 * Ids of the meant events that died before `until`, those that died first first. What dies again while a redrive is
 * under way is not among them.
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
      .find({ ...deadFilter(selection), deadAt: { $lt: until } }, { projection: { _id: 1 } })
      .sort({ deadAt: 1 })
      .hint(indexFor(selection))
      .limit(limit)
      .toArray(),
  );
  return found.map(({ _id }) => String(_id));
}

/**
 * Where the meant events stand that died before `until`, those that died first first.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDeadPlaces(
  outbox: Collection<Document>,
  selection: DeadSelection,
  until: Date,
  limit: number,
): Promise<readonly DeadDetails[]> {
  const found = await withMongodbFaults(() =>
    outbox
      .find({ ...deadFilter(selection), deadAt: { $lt: until } }, { projection: { payload: 0 } })
      .sort({ deadAt: 1 })
      .hint(indexFor(selection))
      .limit(limit)
      .toArray(),
  );
  return found.map(toDeadDetails);
}

/** The meant events without their payloads, those that died last first. @throws Fault `mongodb-unavailable`. */
export async function listDeadRows(
  outbox: Collection<Document>,
  selection: DeadSelection,
  limit: number,
): Promise<readonly DeadRow[]> {
  if (limit === 0) return [];
  const found = await withMongodbFaults(() =>
    outbox
      .find(deadFilter(selection), { projection: { payload: 0 } })
      .sort({ deadAt: -1 })
      .hint(indexFor(selection))
      .limit(limit)
      .toArray(),
  );
  return found.map(toDeadRow);
}

/**
 * The meant events by code and aggregate type, no more than the `limit` that died last.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function groupDead(
  outbox: Collection<Document>,
  selection: DeadSelection,
  limit: number,
): Promise<readonly DeadGroup[]> {
  const groups = await withMongodbFaults(() =>
    outbox
      .aggregate(
        [
          { $match: deadFilter(selection) },
          { $sort: { deadAt: -1 } },
          { $limit: limit },
          {
            $group: {
              _id: { code: '$error.code', aggregateType: '$aggregateType' },
              events: { $sum: 1 },
              oldest: { $min: '$deadAt' },
              newest: { $max: '$deadAt' },
            },
          },
          { $sort: { events: -1, newest: -1 } },
        ],
        { hint: indexFor(selection) },
      )
      .toArray(),
  );
  return groups.map(({ _id: { code, aggregateType }, events, oldest, newest }) => {
    return { code: String(code), aggregateType: String(aggregateType), events, oldest, newest };
  });
}

/** Also of those that were discarded. */
export function selectionFilter({ codes, aggregateTypes, eventIds }: DeadSelection): Filter<Document> {
  return {
    ...(codes.length === 0 ? {} : { 'error.code': { $in: [...codes] } }),
    ...(aggregateTypes.length === 0 ? {} : { aggregateType: { $in: [...aggregateTypes] } }),
    ...(eventIds.length === 0 ? {} : { _id: { $in: eventIds.map(ObjectId.createFromHexString) } }),
  };
}

function deadFilter(selection: DeadSelection): Filter<Document> {
  return { status: 'dead', ...selectionFilter(selection) };
}

/** A few ids are not looked for among all the dead. */
function indexFor({ eventIds }: DeadSelection): string {
  return eventIds.length === 0 ? 'outgraph_dead' : '_id_';
}
