/**
 * Writes the holidays through tracked collections, with several writers at once: all of 2024 first, then what 2025
 * changes.
 */
import { type Db, type MongoClient, ObjectId } from 'mongodb';
import pMap from 'p-map';
import { trackCollection } from '../lib/writer/tracked-collection.ts';
import { memoryEvent } from '../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../xmem/aggregates/memory-user.ts';
import type { Holiday, RegionCalendar } from './holidays.ts';
import { untilBacklogIsShort, type WritingProgress } from './until-drained.ts';

const concurrentWriters = 8;

/** How many writes the holidays take. */
export function countWrites(calendars: readonly RegionCalendar[]): number {
  return calendars.reduce(
    (sum, { events, change }) =>
      sum + 1 + events.length + change.moves.length + change.gone.length + change.come.length,
    0,
  );
}

/** Writes them all; each write is a transaction of its own. */
export async function writeHolidays(
  client: MongoClient,
  db: Db,
  calendars: readonly RegionCalendar[],
  progress: WritingProgress,
  signal: AbortSignal,
): Promise<void> {
  const users = trackCollection(client, db, memoryUser);
  const events = trackCollection(client, db, memoryEvent);
  const counted = async (write: Promise<unknown>) => {
    await write;
    progress.written += 1;
    signal.throwIfAborted();
    await untilBacklogIsShort(progress, signal);
  };
  const eventIds = new Map<Holiday, ObjectId>();
  const withIdOf = (holiday: Holiday) => {
    const _id = eventIds.get(holiday);
    if (_id === undefined) throw new Error(`${holiday.name} was not inserted before it was changed.`);
    return { _id };
  };

  const writeFirst = async ({ region, events: holidays }: RegionCalendar) => {
    await counted(users.insertOne({ _id: new ObjectId(), user_id: region }));
    for (const holiday of holidays) {
      const _id = new ObjectId();
      eventIds.set(holiday, _id);
      await counted(events.insertOne({ _id, user_id: region, ...eventFields(holiday) }));
    }
  };
  const writeChange = async ({ region, change }: RegionCalendar) => {
    for (const { from, to } of change.moves) {
      await counted(events.updateOne(withIdOf(from), { $set: eventFields(to) }));
    }
    for (const holiday of change.gone) await counted(events.deleteOne(withIdOf(holiday)));
    for (const holiday of change.come)
      await counted(events.insertOne({ _id: new ObjectId(), user_id: region, ...eventFields(holiday) }));
  };
  await pMap(calendars, writeFirst, { concurrency: concurrentWriters });
  await pMap(calendars, writeChange, { concurrency: concurrentWriters });
}

/** The fields of an event's document. */
export function eventFields({ name, date, type, rule }: Holiday): Record<string, string> {
  return { event_name: name, date, desc: type, date_expression: rule };
}
