/** Writes the calendars through tracked collections, with several writers at once: all events of 2024 first, then what 2025 changes. */
import { type Db, type MongoClient, ObjectId } from 'mongodb';
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

  await inParallel(calendars, async ({ region, events: holidays }) => {
    await counted(users.insertOne({ _id: new ObjectId(), user_id: region }));
    for (const holiday of holidays) {
      const _id = new ObjectId();
      eventIds.set(holiday, _id);
      await counted(events.insertOne({ _id, user_id: region, ...eventFields(holiday) }));
    }
  });
  await inParallel(calendars, async ({ region, change }) => {
    for (const { from, to } of change.moves) {
      await counted(events.updateOne(withIdOf(from), { $set: eventFields(to) }));
    }
    for (const holiday of change.gone) await counted(events.deleteOne(withIdOf(holiday)));
    for (const holiday of change.come)
      await counted(events.insertOne({ _id: new ObjectId(), user_id: region, ...eventFields(holiday) }));
  });
}

function eventFields({ name, date, type, rule }: CalendarEvent): Record<string, string> {
  return { event_name: name, date, desc: type, date_expression: rule };
}

/** Each writer takes the next calendar when it is done with one; a calendar has one writer, as a user's requests come one after the other. */
async function inParallel(calendars: readonly Calendar[], write: (calendar: Calendar) => Promise<void>): Promise<void> {
  const queue = calendars.values();
  const writer = async () => {
    for (const calendar of queue) await write(calendar);
  };
  await Promise.all(Array.from({ length: concurrentWriters }, writer));
}
