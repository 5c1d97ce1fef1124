/**
 * Nodes that another transaction deletes while the apply waits for their lock: both are stopped at
 * exactly that moment, on a real Neo4j.
 */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { applyStates } from '../../../lib/graph/neo4j-apply-states.ts';
import { createSchemaPorts } from '../../../lib/graph/neo4j-ensure-schema.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { clearGraph } from '../../support/clear-graph.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { servers } from '../../support/servers.ts';

const driver = connectGraph(servers);
const label = `Vanish${randomBytes(4).toString('hex')}`;
beforeAll(async () => {
  await setUpGraph(driver, 'neo4j', catalog, testOutboxId);
  const need = { labels: new Map([[label, ['id']]]), types: new Set<string>(), additional: new Set<string>() };
  await createSchemaPorts(driver, 'neo4j', Date.now).createSchema(need);
});
afterAll(async () => {
  await clearGraph(driver, [label], `graph:${label}`);
  await driver.close();
});

/**
 * Applies a state while another transaction holds an uncommitted deletion, which commits once the
 * apply waits.
 */
async function applyDuring(deletion: string, parameters: object, key: string, shared: boolean): Promise<void> {
  const subgraph = readSubgraph({ nodes: [{ label, key: { id: key }, shared }] });
  const session = driver.session();
  try {
    const deleting = session.beginTransaction();
    await deleting.run(deletion, parameters);
    const applying = applyStates(driver, 'neo4j', [{ key, position: toPosition({ t: 2, i: 1 }), subgraph }]);
    await waitUntil(async () => (await isBlocked(key)) || undefined, {
      timeoutSeconds: 10,
      pollMillis: 10,
      what: 'the apply to wait for the lock',
    });
    await deleting.commit();
    await applying;
  } finally {
    await session.close();
  }
}

/** Whether a transaction with this key waits for a lock. */
async function isBlocked(key: string): Promise<boolean> {
  const { records } = await driver.executeQuery(
    `SHOW TRANSACTIONS YIELD status, parameters WHERE status STARTS WITH 'Blocked' RETURN parameters`,
  );
  return records.some((record) => inspect(record.get('parameters'), { depth: null }).includes(key));
}

it.each([true, false])('a bare node deleted while its claim waits is recreated (shared: %s)', async (shared) => {
  const key = `graph:${label}-node-${shared}`;
  await driver.executeQuery(`CREATE (:${label} {id: $key, _outgraph: true})`, { key });
  await applyDuring(`MATCH (n:${label} {id: $key}) DELETE n`, { key }, key, shared);
  const { records } = await driver.executeQuery(
    `MATCH (n:${label} {id: $key}) RETURN n._outgraphOwner AS owner, n._outgraphShares AS shares`,
    { key },
  );
  expect(records.map((record) => record.toObject())).toStrictEqual([
    shared ? { owner: null, shares: 1n } : { owner: key, shares: null },
  ]);
});

it('an upsert is in the registry even if its tombstone is purged while it waits', async () => {
  const key = `graph:${label}-tombstone`;
  await applyStates(driver, 'neo4j', [{ key, position: toPosition({ t: 1, i: 1 }), subgraph: null }]);
  await applyDuring('MATCH (a:OutgraphAggregate {key: $key}) DELETE a', { key }, key, false);
  const { records } = await driver.executeQuery(
    'MATCH (a:OutgraphAggregate {key: $key}) RETURN a.position AS position',
    { key },
  );
  expect(records.map((record) => record.get('position'))).toStrictEqual([toPosition({ t: 2, i: 1 })]);
});
