/** Date moves while the consumer is killed, again and again, at points of its transaction and at random between them; and a reader who looks at the graph all the while. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ObjectId } from 'mongodb';
import { neo4jBegin, neo4jCommit, type Stop } from '../../intercepting-proxy.ts';
import type { XmemScope } from '../../xmem/xmem-scope.ts';
import type { FailureStack } from '../failure-stack.ts';
import { until } from '../rows/row.ts';

const days = ['01-01', '02-29', '05-11', '12-10', '12-31'];

/** What a reader has seen so far. */
export interface Looks {
  readonly count: number;
  /** How often an event stood on another day than at the look before. */
  readonly moves: number;
  /** Looks at which an event stood on no day, or on several. */
  readonly wrong: readonly string[];
}

/** So many events, each on a day. */
export async function addEvents({ memory }: XmemScope): Promise<readonly ObjectId[]> {
  return Promise.all(days.map((day) => memory.add(day, { event_name: 'moves' })));
}

/** Moves of all events in a second: faster than the graph follows, and not so fast that most of them are skipped. */
const movesPerSecond = 10;

/** Moves every event from day to day until it is ended. */
export async function moveUntil(ended: AbortSignal, { memory }: XmemScope, ids: readonly ObjectId[]): Promise<void> {
  for (let turn = 1; !ended.aborted; turn += 1) {
    const moves = ids.map((_id, index) => memory.update(_id, { date: days[(index + turn) % days.length] }));
    await Promise.all([...moves, sleep(1_000 / movesPerSecond)]);
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
    await until('events to move', () => looks.moves >= moves + days.length);
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

/** Looks at a user's events until it is ended. */
export function lookUntil(
  ended: AbortSignal,
  stack: FailureStack,
  { name }: XmemScope,
  ids: readonly ObjectId[],
): { readonly looks: Looks; readonly looking: Promise<void> } {
  const statement = 'MATCH (:User {user_id: $name})-[r:HAS_EVENT]->(d:Date) RETURN r.event_id AS id, d.date AS date';
  const looks = { count: 0, moves: 0, wrong: [] as string[] };
  const seen = new Map<string, string>();
  const look = async () => {
    const { records } = await stack.graph.executeQuery(statement, { name }, { routing: 'READ' });
    looks.count += 1;
    const found = Map.groupBy(records, (record) => String(record.get('id')));
    for (const id of ids.map(String)) {
      const dates = (found.get(id) ?? []).map((record) => String(record.get('date')));
      if (dates.length !== 1) looks.wrong.push(`look ${looks.count}: ${id} on [${dates.join(', ')}]`);
      const [date = ''] = dates;
      if (seen.has(id) && seen.get(id) !== date) looks.moves += 1;
      seen.set(id, date);
    }
  };
  const looking = (async () => {
    while (!ended.aborted) await look();
  })();
  return { looks, looking };
}
