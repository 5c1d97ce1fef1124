/**
 * Writes the holidays as XMem writes its temporal memory today, straight to the graph, for
 * comparison only. An event has no id. It is created with CREATE, deleted by its name, and moved by
 * a deletion and a creation. Uses its own labels. This is more favourable than XMem: a user is
 * created once and not before each event, and no write fails.
 */
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import type { Holiday, RegionCalendar } from '../holidays.ts';
import { eventFields } from '../write-holidays.ts';
import { type AutoCommit, openAutoCommit } from './auto-commit.ts';

/** The cost of the writing, and its errors in the graph. */
export interface XmemEvents {
  readonly transactions: number;
  readonly seconds: number;
  /** Relationships that are missing. */
  readonly missing: number;
  /** Relationships that are unexpected. */
  readonly tooMany: number;
}

const concurrentWriters = 8;

const createUser = 'MERGE (:XmemUser {user_id: $user_id})';
const createEvent = `MATCH (u:XmemUser {user_id: $user_id}) MATCH (d:XmemDate {date: $date})
  CREATE (u)-[r:HAS_EVENT]->(d) SET r += $properties`;
const deleteEvent = `MATCH (:XmemUser {user_id: $user_id})-[r:HAS_EVENT {event_name: $event_name}]->
    (:XmemDate {date: $date})
  DELETE r`;

/**
 * Writes all of 2024, then the changes to 2025, and compares the graph with the holidays of 2025.
 */
export async function writeEventsAsXmem(
  driver: Driver,
  database: string,
  regions: readonly RegionCalendar[],
  signal: AbortSignal,
): Promise<XmemEvents> {
  await prepare(driver, database);
  const startedAt = performance.now();
  const counts = await pMap(regions, (region) => writeRegion(driver, database, region), {
    concurrency: concurrentWriters,
    signal,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const expected = regions.flatMap(({ region, change }) => {
    const after = [...change.unchanged, ...change.moved.map(({ to }) => to), ...change.added];
    return after.map((holiday) => eventText(region, holiday.date, holiday.name));
  });
  const { records } = await driver.executeQuery(
    'MATCH (u:XmemUser)-[r:HAS_EVENT]->(d:XmemDate) RETURN u.user_id AS user, d.date AS date, r.event_name AS name',
    {},
    { database },
  );
  const found = records.map((record) => eventText(record.get('user'), record.get('date'), record.get('name')));
  return {
    transactions: counts.reduce((sum, count) => sum + count, 0),
    seconds,
    missing: countWithout(expected, found),
    tooMany: countWithout(found, expected),
  };
}

/** The result for people. */
export function xmemEventsText({ transactions, seconds, missing, tooMany }: XmemEvents): string {
  return (
    `  XMem's way           ${transactions.toLocaleString('en')} transactions, only to the graph, in ` +
    `${seconds.toFixed(1)} s; at the end, ${missing} events are missing and ${tooMany} are unexpected\n`
  );
}

async function prepare(driver: Driver, database: string): Promise<void> {
  const run = (statement: string, parameters = {}) => driver.executeQuery(statement, parameters, { database });
  await run('CREATE CONSTRAINT xmem_user IF NOT EXISTS FOR (u:XmemUser) REQUIRE u.user_id IS UNIQUE');
  await run('CREATE CONSTRAINT xmem_date IF NOT EXISTS FOR (d:XmemDate) REQUIRE d.date IS UNIQUE');
  const days = Array.from({ length: 366 }, (_, day) => new Date(Date.UTC(2024, 0, 1 + day)).toISOString().slice(5, 10));
  await run('UNWIND $days AS day MERGE (:XmemDate {date: day})', { days });
}

async function writeRegion(
  driver: Driver,
  database: string,
  { region: user_id, events, change }: RegionCalendar,
): Promise<number> {
  const graph = openAutoCommit(driver, database);
  try {
    await graph.run(createUser, { user_id });
    for (const holiday of events) await create(graph, user_id, holiday);
    for (const { from, to } of change.moved) {
      await remove(graph, user_id, from);
      await create(graph, user_id, to);
    }
    for (const holiday of change.removed) await remove(graph, user_id, holiday);
    for (const holiday of change.added) await create(graph, user_id, holiday);
    return graph.transactions();
  } finally {
    await graph.close();
  }
}

async function create(graph: AutoCommit, user_id: string, holiday: Holiday): Promise<void> {
  const { date, ...properties } = eventFields(holiday);
  await graph.run(createEvent, { user_id, date, properties });
}

async function remove(graph: AutoCommit, user_id: string, { date, name }: Holiday): Promise<void> {
  await graph.run(deleteEvent, { user_id, date, event_name: name });
}

function eventText(user: string, date: string, name: string): string {
  return JSON.stringify([user, date, name]);
}

/** Counts the texts that are missing in `others`. Repeated texts count as often as they occur. */
function countWithout(texts: readonly string[], others: readonly string[]): number {
  const remaining = new Map<string, number>();
  for (const other of others) remaining.set(other, (remaining.get(other) ?? 0) + 1);
  let missing = 0;
  for (const text of texts) {
    const count = remaining.get(text) ?? 0;
    if (count === 0) missing += 1;
    else remaining.set(text, count - 1);
  }
  return missing;
}
