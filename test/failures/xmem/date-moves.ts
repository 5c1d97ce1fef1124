/**
 * Date moves while the consumer is killed, again and again, at points of its transaction and at random between them;
 * and a reader who looks at the graph all the while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectId } from 'mongodb';
import type { FailureStack } from '../../support/failure-stack.ts';
import { neo4jBegin, neo4jCommit, type Stop } from '../../support/tcp-proxy.ts';
import type { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { until } from '../rows/row.ts';

const days = ['01-01', '02-29', '05-11', '12-10', '12-31'];

/** Nothing of this takes so long, but on a machine that is busy with other things. */
const patienceSeconds = 120;

/** What a reader has seen so far. */
export interface Looks {
  /** Without a lock, and under one. */
  readonly count: number;
  readonly locked: number;
  /** How often an event stood on another day than at the look before. */
  readonly moves: number;
  /** Looks at which an event stood on several days, or on none: once under the lock, or twice in a row without it. */
  readonly wrong: readonly string[];
}

/** So many events, each on a day. */
export async function addEvents({ memory }: XmemScope): Promise<readonly ObjectId[]> {
  return Promise.all(days.map((day) => memory.add(day, { event_name: 'moves' })));
}

/**
 * Moves every event from day to day until it is ended, never far ahead of the graph: of a batch that dies with its
 * consumer each event is tried alone afterwards, and a long backlog of them would be the longest part of the test.
 */
export async function moveUntil(
  ended: AbortSignal,
  { outbox }: FailureStack,
  { memory }: XmemScope,
  ids: readonly ObjectId[],
): Promise<void> {
  const waiting = { status: 'pending', aggregateId: { $in: ids.map(String) } };
  const isFollowed = async () => ended.aborted || (await outbox.countDocuments(waiting)) <= 2 * ids.length;
  for (let turn = 1; !ended.aborted; turn += 1) {
    await Promise.all(ids.map((_id, index) => memory.update(_id, { date: days[(index + turn) % days.length] })));
    await until('the graph to follow', isFollowed, patienceSeconds);
  }
}

/** Kills the consumer at one point after the other, each time when events have moved since. */
export async function killConsumers(stack: FailureStack, looks: Looks): Promise<void> {
  const points: readonly (Pick<Stop, 'at' | 'before'> | 'any')[] = [
    { before: 'request', at: neo4jBegin },
    'any',
    { before: 'request', at: neo4jCommit },
    { before: 'reply', at: neo4jCommit },
    'any',
  ];
  for (const point of points) {
    const { moves } = looks;
    await until('events to move', () => looks.moves >= moves + days.length, patienceSeconds);
    if (point === 'any') {
      // Where in its work it is then is left to chance.
      await sleep(Math.random() * 200);
      await stack.functions.kill('consumer');
    } else {
      const kill = async (): Promise<'cut'> => {
        await stack.functions.kill('consumer');
        return 'cut';
      };
      await stack.neo4jProxy.stopOnce({ ...point, act: kill });
    }
  }
}

/**
 * Looks at a user's events until it is ended: without a lock as often as it can, and beside that under a lock of the
 * user's node. Neo4j isolates by read committed, without snapshots: at the very moment of a commit, a look without a
 * lock may miss the old relationship and the new one (docs/design.md), so that a single one without it does not say
 * that an event stands on no day.
 */
export function lookUntil(
  ended: AbortSignal,
  stack: FailureStack,
  { name }: XmemScope,
  ids: readonly ObjectId[],
): { readonly looks: Looks; readonly looking: Promise<void> } {
  const looks = { count: 0, locked: 0, moves: 0, wrong: [] as string[] };
  const seen = new Map<string, string>();
  const missed = new Set<string>();
  const look = async (lock: string, routing: 'READ' | 'WRITE') => {
    const statement =
      `MATCH (u:User {user_id: $name}) ${lock} WITH u ` +
      'MATCH (u)-[r:HAS_EVENT]->(d:Date) RETURN r.event_id AS id, d.date AS date';
    const { records } = await stack.graph.executeQuery(statement, { name }, { routing });
    const found = Map.groupBy(records, (record) => String(record.get('id')));
    return ids.map(
      (id) => [String(id), (found.get(String(id)) ?? []).map((record) => String(record.get('date')))] as const,
    );
  };
  const lookFreely = async () => {
    looks.count += 1;
    for (const [id, dates] of await look('', 'READ')) {
      if (dates.length > 1) looks.wrong.push(`look ${looks.count}: ${id} on [${dates.join(', ')}]`);
      const [date] = dates;
      if (date === undefined) {
        // Once may be that moment; twice in a row is more.
        if (missed.has(id)) looks.wrong.push(`look ${looks.count}: ${id} on no day, as before`);
        missed.add(id);
        continue;
      }
      missed.delete(id);
      if (seen.has(id) && seen.get(id) !== date) looks.moves += 1;
      seen.set(id, date);
    }
  };
  const lookLocked = async () => {
    looks.locked += 1;
    for (const [id, dates] of await look('SET u._look = true REMOVE u._look', 'WRITE'))
      if (dates.length !== 1) looks.wrong.push(`locked look ${looks.locked}: ${id} on [${dates.join(', ')}]`);
  };
  const untilEnded = async (one: () => Promise<void>) => {
    while (!ended.aborted) await one();
  };
  const looking = Promise.all([untilEnded(lookFreely), untilEnded(lookLocked)]).then(() => undefined);
  return { looks, looking };
}
