/** Writes the calendars through tracked collections, with several writers at once: all events of 2024 first, then what 2025 changes. */
import { type Db, type MongoClient, ObjectId } from 'mongodb';
import pMap from 'p-map';
import { memoryEvent } from '../../lib/aggregates/memory-event.ts';
import { memoryUser } from '../../lib/aggregates/memory-user.ts';
import { trackCollection } from '../../lib/writer/tracked-collection.ts';
import type { Calendar, CalendarEvent } from './calendars.ts';

/** How far the writing is; read while it goes on. */
export interface WritingProgress {
  written: number;
}

const concurrentWriters = 8;

/** How many writes the calendars take. */
export function countWrites(calendars: readonly Calendar[]): number {
  return calendars.reduce(
    (sum, { events, change }) =>
      sum + 1 + events.length + change.moves.length + change.gone.length + change.come.length,
    0,
  );
}

/** Writes them all; each write is a transaction of its own. */
export async function writeCalendars(
  client: MongoClient,
  db: Db,
  calendars: readonly Calendar[],
  progress: WritingProgress,
  signal: AbortSignal,
): Promise<void> {
  const users = trackCollection(client, db, memoryUser);
  const events = trackCollection(client, db, memoryEvent);
  const counted = async (write: Promise<unknown>) => {
    await write;
    progress.written += 1;
    signal.throwIfAborted();
  };
  const eventIds = new Map<CalendarEvent, ObjectId>();
  const withIdOf = (holiday: CalendarEvent) => {
    const _id = eventIds.get(holiday);
    if (_id === undefined) throw new Error(`${holiday.name} was not inserted before it was changed.`);
    return { _id };
  };

  const writeFirst = async ({ region, events: holidays }: Calendar) => {
    await counted(users.insertOne({ _id: new ObjectId(), user_id: region }));
    for (const holiday of holidays) {
      const _id = new ObjectId();
      eventIds.set(holiday, _id);
      await counted(events.insertOne({ _id, user_id: region, ...eventFields(holiday) }));
    }
  };
  const writeChange = async ({ region, change }: Calendar) => {
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

function eventFields({ name, date, type, rule }: CalendarEvent): Record<string, string> {
  return { event_name: name, date, desc: type, date_expression: rule };
}
