/**
 * The holidays as XMem writes its temporal memory today, straight to the graph and for comparison only: an event has no
 * id, it is created with CREATE, deleted by its name, and moved by a deletion and a creation. Under labels of its own.
 * Kinder than XMem: its user is made once and not before each event, and no write fails.
 */
import type { Driver } from 'neo4j-driver';
import pMap from 'p-map';
import type { Holiday, RegionCalendar } from '../holidays.ts';
import { eventFields } from '../write-holidays.ts';
import { type AutoCommit, openAutoCommit } from './auto-commit.ts';

/** What it took, and what it left behind. */
export interface XmemEvents {
  readonly transactions: number;
  readonly seconds: number;
  /** Relationships that should be there and are not. */
  readonly missing: number;
  /** Relationships that should not be there. */
  readonly tooMany: number;
}

const concurrentWriters = 8;

const createUser = 'MERGE (:XmemUser {user_id: $user_id})';
const createEvent = `MATCH (u:XmemUser {user_id: $user_id}) MATCH (d:XmemDate {date: $date})
  CREATE (u)-[r:HAS_EVENT]->(d) SET r += $properties`;
const deleteEvent = `MATCH (:XmemUser {user_id: $user_id})-[r:HAS_EVENT {event_name: $event_name}]->
    (:XmemDate {date: $date})
  DELETE r`;

/** Writes all of 2024, then what 2025 changes, and compares with the holidays of 2025. */
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
    const after = [...change.stay, ...change.moves.map(({ to }) => to), ...change.come];
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

/** For people. */
export function xmemEventsText({ transactions, seconds, missing, tooMany }: XmemEvents): string {
  return (
    `  XMem's way           ${transactions.toLocaleString('en')} transactions to the graph alone in ` +
    `${seconds.toFixed(1)} s; at the end ${missing} events are missing and ${tooMany} should not be there\n`
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
    for (const { from, to } of change.moves) {
      await remove(graph, user_id, from);
      await create(graph, user_id, to);
    }
    for (const holiday of change.gone) await remove(graph, user_id, holiday);
    for (const holiday of change.come) await create(graph, user_id, holiday);
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

/** How many of the texts the others have not, each as often as it stands there. */
function countWithout(texts: readonly string[], others: readonly string[]): number {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  let missing = 0;
  for (const text of texts) {
    const count = left.get(text) ?? 0;
    if (count === 0) missing += 1;
    else left.set(text, count - 1);
  }
  return missing;
}
