/**
 * Writes the holidays through tracked collections, with several concurrent writers: first all of
 * 2024, then the changes to 2025.
 */
import { type ClientSession, type Db, type MongoClient, ObjectId } from 'mongodb';
import pMap from 'p-map';
import { trackCollection } from '../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../xmem/aggregates/memory-user.ts';
import type { Holiday, RegionCalendar } from './holidays.ts';
import { untilBacklogIsShort, type WritingProgress } from './until-drained.ts';

const concurrentWriters = 16;

/** The number of writes that the holidays need. */
export function countWrites(calendars: readonly RegionCalendar[]): number {
  return calendars.reduce(
    (sum, { events, change }) =>
      sum + 1 + events.length + change.moved.length + change.removed.length + change.added.length,
    0,
  );
}

/**
 * Writes all calendars. Each calendar is written in one transaction, and its changes in another.
 */
export async function writeHolidays(
  client: MongoClient,
  db: Db,
  calendars: readonly RegionCalendar[],
  progress: WritingProgress,
  signal: AbortSignal,
): Promise<void> {
  const users = trackCollection(client, db, memoryUser);
  const events = trackCollection(client, db, memoryEvent);
  const eventIds = new Map<Holiday, ObjectId>();
  const withIdOf = (holiday: Holiday) => {
    const _id = eventIds.get(holiday);
    if (_id === undefined) throw new Error(`${holiday.name} was not inserted before it was changed.`);
    return { _id };
  };
  /** A transaction may run again, and then needs the same documents. */
  const newEvents = (region: string, holidays: readonly Holiday[]) =>
    holidays.map((holiday) => {
      const _id = new ObjectId();
      eventIds.set(holiday, _id);
      return { _id, user_id: region, ...eventFields(holiday) };
    });
  const writeTogether = async (writes: number, write: (options: { session: ClientSession }) => Promise<unknown>) => {
    if (writes === 0) return;
    await client.withSession((session) => session.withTransaction(() => write({ session })));
    progress.written += writes;
    signal.throwIfAborted();
    await untilBacklogIsShort(progress, signal);
  };

  const writeFirst = async ({ region, events: holidays }: RegionCalendar) => {
    const user = { _id: new ObjectId(), user_id: region };
    const documents = newEvents(region, holidays);
    await writeTogether(1 + documents.length, async (options) => {
      await users.insertOne(user, options);
      if (documents.length > 0) await events.insertMany(documents, options);
    });
  };
  const writeChange = async ({ region, change: { moved, removed, added } }: RegionCalendar) => {
    const documents = newEvents(region, added);
    await writeTogether(moved.length + removed.length + added.length, async (options) => {
      for (const { from, to } of moved) await events.updateOne(withIdOf(from), { $set: eventFields(to) }, options);
      for (const holiday of removed) await events.deleteOne(withIdOf(holiday), options);
      if (documents.length > 0) await events.insertMany(documents, options);
    });
  };
  await pMap(calendars, writeFirst, { concurrency: concurrentWriters });
  await pMap(calendars, writeChange, { concurrency: concurrentWriters });
}

/** The fields of an event's document. */
export function eventFields({ name, date, type, rule }: Holiday) {
  return { event_name: name, date, desc: type, date_expression: rule };
}
