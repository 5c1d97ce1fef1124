/**
 * Many concurrent consumers and readers: no update is lost on a hot node, and no reader sees half a
 * change.
 */
import pMap from 'p-map';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inChunks } from '../../../lib/runtime/in-chunks.ts';
import { openSmallGraph } from '../../support/small-graph.ts';

let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  small = await openSmallGraph();
});
afterAll(() => small.clear());

it('with eight consumers, thousands of aggregates that share a node and an endpoint lose no update', async () => {
  const { apply, count, graph, node, state } = small;
  const total = 3_000;
  const subgraph = (index: number) => ({
    nodes: [node('hot-shared', { shared: true }), node(`leaf-${index}`)],
    relationships: [
      { type: graph.type, from: node(`leaf-${index}`), to: node('hot-bare') },
      { type: graph.type, from: node('hot-shared'), to: node('hot-bare'), shared: true },
    ],
  });
  const upserts = Array.from({ length: total }, (_, index) => state(`${index}`, subgraph(index)));
  await pMap(inChunks(upserts, 50), apply, { concurrency: 8 });
  const ends = `MATCH (:${graph.label})-[r:${graph.type}]->(:${graph.label} {id: 'hot-bare'})`;
  expect(await count(`${ends} RETURN count(r) AS value`)).toBe(total + 1);
  expect(await count(`MATCH (n:${graph.label} {id: 'hot-shared'}) RETURN n._outgraphShares AS value`)).toBe(total);

  const deletions = Array.from({ length: total }, (_, index) => state(`${index}`, null));
  await pMap(inChunks(deletions, 50), apply, { concurrency: 8 });
  expect(await count(`MATCH (n:${graph.label}) RETURN count(n) AS value`)).toBe(0);
});

/**
 * Neo4j's isolation is read committed, without snapshots. A reader without a lock may follow a
 * pointer to the old relationship just when the commit removes it, and find nothing
 * (https://neo4j.com/docs/operations-manual/current/database-internals/transaction-management/).
 * Readers for whom that matters lock the node first, as here.
 */
it('a reader that polls a moving aggregate never sees it twice, and with a lock always sees it', async () => {
  const { apply, count, graph, node, state } = small;
  const moves = 300;
  const place = (move: number) => ({
    nodes: [node('mover')],
    relationships: [{ type: graph.type, from: node('mover'), to: node(`day-${move % 7}`) }],
  });
  // The days are listed, so they remain when the mover leaves.
  const days = Array.from({ length: 7 }, (_, day) => node(`day-${day}`));
  await apply([state('days', { nodes: days }), state('mover', place(0))]);
  let moving = true;
  const read = async (lock: string) => {
    const seen = new Map<number, number>();
    const query = `MATCH (n:${graph.label} {id: 'mover'}) ${lock} WITH n
      MATCH (n)-[r:${graph.type}]->() RETURN count(r) AS value`;
    while (moving) {
      const places = await count(query);
      seen.set(places, (seen.get(places) ?? 0) + 1);
    }
    return seen;
  };
  const reading = Promise.all([read(''), read('SET n._readerLock = true')]);
  for (let move = 1; move <= moves; move += 1) await apply([state('mover', place(move))]);
  moving = false;
  const [free, locked] = await reading;
  expect(Math.max(...free.keys())).toBe(1);
  expect([...locked.keys()]).toStrictEqual([1]);
  expect(locked.get(1)).toBeGreaterThan(moves / 10);
  expect(free.get(1)).toBeGreaterThan(moves / 10);
});
