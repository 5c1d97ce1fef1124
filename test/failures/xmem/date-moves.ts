/**
 * Date moves while the consumer is killed repeatedly, at points of its transaction and at random
 * times. A reader looks at the graph throughout.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectId } from 'mongodb';
import type { FailureStack } from '../../support/failure-stack.ts';
import { neo4jBegin, neo4jCommit, type Stop } from '../../support/tcp-proxy.ts';
import type { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { until } from '../rows/row.ts';

const days = ['01-01', '02-29', '05-11', '12-10', '12-31'];

/** Only a busy machine needs this long. */
const timeoutSeconds = 120;

/** The reader's results so far. */
export interface Looks {
  /** Looks without a lock, and with one. */
  readonly count: number;
  readonly locked: number;
  /** Number of times an event was on another day than at the previous look. */
  readonly moves: number;
  /**
   * Looks at which an event was on several days or on none. Without a lock, an event on no day
   * counts only if it is missing twice in a row.
   */
  readonly wrong: readonly string[];
}

/** Adds an event on each day. */
export async function addEvents({ memory }: XmemScope): Promise<readonly ObjectId[]> {
  return Promise.all(days.map((day) => memory.add(day, { event_name: 'moves' })));
}

/**
 * Moves every event from day to day until `ended` is aborted, and never runs far ahead of the
 * graph. After a crash, the consumer applies each event of the batch on its own, so a long backlog
 * would take most of the test's time.
 */
export async function moveUntil(
  ended: AbortSignal,
  { outbox }: FailureStack,
  { memory }: XmemScope,
  ids: readonly ObjectId[],
): Promise<void> {
  const waiting = { status: 'pending', aggregateId: { $in: ids.map(String) } };
  const hasCaughtUp = async () => ended.aborted || (await outbox.countDocuments(waiting)) <= 2 * ids.length;
  for (let turn = 1; !ended.aborted; turn += 1) {
    await Promise.all(ids.map((_id, index) => memory.update(_id, { date: days[(index + turn) % days.length] })));
    await until('the graph to catch up', hasCaughtUp, timeoutSeconds);
  }
}

/** Kills the consumer at each point in turn. Events move between two kills. */
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
    await until('events to move', () => looks.moves >= moves + days.length, timeoutSeconds);
    if (point === 'any') {
      // A random point of the consumer's work.
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
 * Looks at a user's events until `ended` is aborted, both without a lock and with a lock on the
 * user's node.
 *
 * Neo4j's isolation level is read committed, without snapshots. During a commit, a look without a
 * lock may miss both the old and the new relationship (docs/design.md). So a single look without a
 * lock does not prove that an event is on no day.
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
        // Missing once may be due to a commit; missing twice in a row is an error.
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
