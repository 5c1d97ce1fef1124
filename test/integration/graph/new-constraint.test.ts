/** A constraint that another process creates between this one's look at the schema and its own try. */
import { randomBytes } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { applyStates } from '../../../lib/graph/neo4j-apply-states.ts';
import { createSchemaPorts } from '../../../lib/graph/neo4j-ensure-schema.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';
import { clearGraph } from '../../support/clear-graph.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { servers } from '../../support/servers.ts';

const driver = connectGraph(servers);
const label = `Raced${randomBytes(4).toString('hex')}`;
afterAll(async () => {
  await clearGraph(driver, [label], `graph:${label}`);
  await driver.close();
});

it('is no problem for the process that finds nodes with the label', async () => {
  const [late, early] = [createSchemaPorts(driver, 'neo4j', Date.now), createSchemaPorts(driver, 'neo4j', Date.now)];
  const need = { labels: new Map([[label, ['id']]]), types: new Set<string>(), additional: new Set<string>() };
  expect(await late.checkSchema([need])).toStrictEqual(['missing']);

  expect(await early.createSchema(need)).toBeUndefined();
  const subgraph = readSubgraph({ nodes: [{ label, key: { id: 'a' } }] });
  await applyStates(driver, 'neo4j', [{ key: `graph:${label}`, position: toPosition({ t: 2, i: 1 }), subgraph }]);

  expect(await late.createSchema(need)).toBeUndefined();
});
