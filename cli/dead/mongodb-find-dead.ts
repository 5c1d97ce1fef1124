/**
 * Finds dead events to show, redrive or discard. Every read uses the index of dead events, or ids.
 */
import { type Binary, BSON, type Collection, type Document, type Filter, ObjectId } from 'mongodb';
import { bsonTypeOf } from '../../lib/contract/bson-type.ts';
import { exactTypes, lenientTypes } from '../../lib/contract/exact-types.ts';
import { toPosition } from '../../lib/contract/position.ts';
import { withMongodbFaults } from '../../lib/outbox/mongodb-errors.ts';
import type { DeadDetails, DeadGroup, DeadRow, DeadSelection } from './dead-event.ts';

/** Counts the selected events that died before `until`. @throws Fault `mongodb-unavailable`. */
export async function countDead(outbox: Collection<Document>, selection: DeadSelection, until: Date): Promise<number> {
  return withMongodbFaults(() =>
    outbox.countDocuments({ ...deadFilter(selection), deadAt: { $lt: until } }, { hint: indexFor(selection) }),
  );
}

/**
 * Ids of the selected events that died before `until`, oldest death first. Events that die again
 * during a redrive are not included.
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
 * The selected events that died before `until`, without their payloads, oldest death first.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function listDeadDetails(
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

/**
 * The selected events without their payloads, newest death first.
 *
 * @throws Fault `mongodb-unavailable`.
 */
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
 * The `limit` selected events that died last, grouped by code and aggregate type.
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

/** Also selects discarded events. */
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

/** With a few ids, do not search all dead events. */
function indexFor({ eventIds }: DeadSelection): string {
  return eventIds.length === 0 ? 'outgraph_dead' : '_id_';
}

/**
 * An event with all of its fields in their BSON types, even if it bypassed the validator or was
 * discarded. Null if no event has this id.
 *
 * @throws Fault `mongodb-unavailable`.
 */
export async function findEvent(collection: Collection<Document>, eventId: string): Promise<Document | null> {
  const found = await withMongodbFaults(() =>
    collection.findOne({ _id: ObjectId.createFromHexString(eventId) }, exactTypes),
  );
  // An event that was discarded as bytes.
  const bytes = bsonTypeOf(found?.bson) === 'Binary' ? (found?.bson as Binary).value() : null;
  return bytes === null ? found : { ...found, ...BSON.deserialize(bytes, lenientTypes) };
}

/** The row of a stored event, whatever fields it has. */
export function toDeadRow({ _id, aggregateType, aggregateId, operation, deadAt, error }: Document): DeadRow {
  return {
    eventId: String(_id),
    aggregateType: String(aggregateType),
    aggregateId: String(aggregateId),
    operation: String(operation),
    deadAt,
    code: String(error?.code),
    message: String(error?.message),
  };
}

/** The row of a stored event, with its other fields. */
export function toDeadDetails(document: Document): DeadDetails {
  const { position, createdAt, attempts, traceparent } = document;
  return {
    ...toDeadRow(document),
    position: bsonTypeOf(position) === 'Timestamp' ? toPosition(position) : null,
    createdAt: createdAt instanceof Date ? createdAt : null,
    attempts: Number(attempts ?? 0),
    traceparent: typeof traceparent === 'string' ? traceparent : null,
  };
}
