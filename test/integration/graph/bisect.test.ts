/** A batch with events that Neo4j refuses: exactly these are set aside, in few transactions. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSmallGraph } from '../../support/small-graph.ts';

const batchSize = 1_000;
/** Longer than Neo4j can index. Only the server refuses it. */
const tooLong = 'x'.repeat(40_000);

let small: Awaited<ReturnType<typeof openSmallGraph>>;
beforeAll(async () => {
  small = await openSmallGraph();
});
afterAll(() => small.clear());

it.each([
  1, 3, 50,
])('of 1,000 events with %i bad ones, only those are refused, in about k log2 n transactions', async (bad) => {
  const { apply, count, graph, node, state } = small;
  const group = `bad${bad}`;
  const isBad = (index: number) =>
    index % Math.floor(batchSize / bad) === 7 && index < bad * Math.floor(batchSize / bad);
  const states = Array.from({ length: batchSize }, (_, index) =>
    state(`${group}-${index}`, { nodes: [node(`${group}-${index}${isBad(index) ? tooLong : ''}`)] }),
  );
  const before = graph.transactions;
  const results = await apply(states);

  const refused = states.flatMap(({ key }, index) => (results.get(key)?.outcome === 'refused' ? [index] : []));
  expect(refused).toStrictEqual(states.flatMap((_, index) => (isBad(index) ? [index] : [])));
  expect(refused).toHaveLength(bad);
  expect(
    new Set([...results.values()].map((result) => ('code' in result ? result.code : result.outcome))),
  ).toStrictEqual(new Set(['applied', 'key-too-large']));
  const nodes = `MATCH (n:${graph.label}) WHERE n.id STARTS WITH $group RETURN count(n) AS value`;
  expect(await count(nodes, { group: `${group}-` })).toBe(batchSize - bad);
  // Each bad event costs two halves at each level below the one where it separates from the others.
  const atMost = 2 * bad * (Math.log2(batchSize / bad) + 1) + 1;
  expect(graph.transactions - before).toBeLessThanOrEqual(atMost);
});
