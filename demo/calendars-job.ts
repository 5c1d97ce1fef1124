/**
 * The input `calendars`: the calendar files of a Debian package. One entry occurs twice in them. It
 * must become two relationships, and one after one of its documents is deleted.
 */
import { ObjectId } from 'mongodb';
import pMap from 'p-map';
import { trackCollection } from '../lib/writer/tracked-collection.ts';
import { printStep } from '../tools/local/progress.ts';
import { memoryEvent } from '../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../xmem/aggregates/memory-user.ts';
import { type CalendarFile, readDebianCalendars } from './input/calendars/debian-calendars.ts';
import type { FileEvent } from './input/calendars/parse-calendar.ts';
import type { Job, JobContext } from './job.ts';
import { isInStep, runMemoryInput } from './memory-job.ts';
import { summaryText, verdictLines } from './summary.ts';
import { untilBacklogIsShort, type WritingProgress } from './until-drained.ts';

/** These contain several events on one day, and the entry that occurs twice. */
const smallFiles = ['calendar.history', 'de_DE/calendar.literatur'];

const concurrentWriters = 8;

/**
 * An entry that occurs more than once in a file: how often it occurs, and how many relationships
 * the graph has of it, before and after one document is deleted.
 */
interface Duplicate {
  readonly user_id: string;
  readonly date: string;
  readonly event_name: string;
  readonly entries: number;
  readonly relationships: number;
  readonly afterDeletion: number;
}

export const runCalendars: Job = async (context) => {
  const all = await readDebianCalendars(printStep, context.signal);
  const files = context.small ? all.filter(({ file }) => smallFiles.includes(file)) : all;
  const events = files.flatMap((file) => file.events);
  const first = await runMemoryInput(context, {
    input: 'calendars',
    calendars: files.length,
    writes: files.length + events.length,
    write: (progress) => writeFiles(context, files, progress),
  });
  const repeated = repeatedEntries(files);
  const before = await countRelationships(context, repeated);
  const second = await runMemoryInput(context, {
    input: 'calendars, one of each duplicate deleted',
    calendars: files.length,
    writes: repeated.length,
    write: (progress) => deleteOneOfEach(context, repeated, progress),
  });
  const after = await countRelationships(context, repeated);
  const duplicates = repeated.map(
    (entry, index): Duplicate => ({ ...entry, relationships: before[index] ?? 0, afterDeletion: after[index] ?? 0 }),
  );
  const hasExpectedCounts = duplicates.every(
    ({ entries, relationships, afterDeletion }) => relationships === entries && afterDeletion === entries - 1,
  );
  const leftOut = files.reduce((sum, file) => sum + file.leftOut, 0);
  const dates = new Set(events.map(({ date }) => date)).size;
  const lines = [
    `  days of the year     ${dates}`,
    `  entries skipped      ${leftOut}   whose day is set by a rule, or named in another language`,
    ...duplicates.map(
      ({ user_id, date, event_name, entries, relationships, afterDeletion }) =>
        `  occurs ${entries} times       ${user_id} ${date} "${event_name}": ` +
        `${relationships} relationships, ${afterDeletion} after one was deleted`,
    ),
    ...verdictLines('documents after the deletion', second.differences),
    '',
  ];
  return {
    equal: isInStep(first) && isInStep(second) && hasExpectedCounts,
    text: `${summaryText(first)}${lines.join('\n')}\n`,
    summary: { ...first, dates, leftOut, duplicates, afterDeletion: second },
  };
};

async function writeFiles(
  { client, db, signal }: JobContext,
  files: readonly CalendarFile[],
  progress: WritingProgress,
): Promise<void> {
  const users = trackCollection(client, db, memoryUser);
  const documents = trackCollection(client, db, memoryEvent);
  const writeFile = async ({ file, events }: CalendarFile) => {
    await users.insertOne({ _id: new ObjectId(), user_id: file });
    progress.written += 1;
    for (const event of events) {
      await documents.insertOne({ _id: new ObjectId(), user_id: file, ...eventFields(event) });
      progress.written += 1;
      signal.throwIfAborted();
      await untilBacklogIsShort(progress, signal);
    }
  };
  await pMap(files, writeFile, { concurrency: concurrentWriters });
}

function eventFields({ date, text, year, written }: FileEvent) {
  return { date, event_name: text, year, date_expression: written };
}

type Entry = Pick<Duplicate, 'user_id' | 'date' | 'event_name' | 'entries'>;

/** The entries that occur more than once in a file. */
function repeatedEntries(files: readonly CalendarFile[]): readonly Entry[] {
  const entries = new Map<string, Entry>();
  for (const { file, events } of files) {
    for (const { date, text } of events) {
      const key = JSON.stringify([file, date, text]);
      const known = entries.get(key)?.entries ?? 0;
      entries.set(key, { user_id: file, date, event_name: text, entries: known + 1 });
    }
  }
  return [...entries.values()].filter((entry) => entry.entries > 1);
}

async function countRelationships(
  { driver, neo4jDatabase }: JobContext,
  entries: readonly Entry[],
): Promise<readonly number[]> {
  const rows = entries.map(({ user_id, date, event_name }) => ({ user_id, date, event_name }));
  const { records } = await driver.executeQuery(
    `UNWIND $rows AS row
     RETURN COUNT {
        (:User {user_id: row.user_id})-[:HAS_EVENT {event_name: row.event_name}]->(:Date {date: row.date})
      } AS found`,
    { rows },
    { database: neo4jDatabase },
  );
  return records.map((record) => Number(record.get('found')));
}

async function deleteOneOfEach(
  { client, db }: JobContext,
  entries: readonly Entry[],
  progress: WritingProgress,
): Promise<void> {
  const documents = trackCollection(client, db, memoryEvent);
  for (const { user_id, date, event_name } of entries) {
    await documents.deleteOne({ user_id, date, event_name });
    progress.written += 1;
  }
}
