/** Queries that are bounded to one source read its part of an index, not the whole registry. */
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readManifestForms } from '../../../cli/doctor/neo4j-inspect-graph.ts';
import { countAggregates, removeEntries } from '../../../cli/remove-source/neo4j-remove-entries.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import { RegistryKeys } from '../../../lib/contract/registry-keys.ts';
import {
  listAggregates,
  listAggregateTypes,
  listChangedSince,
  listWithManifests,
} from '../../../lib/graph/neo4j-list-aggregates.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { withdrawPositions } from '../../../lib/set-up/neo4j-binding.ts';
import { setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { listTombstones } from '../../../lib/sweep/neo4j-tombstones.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { explainStatements } from '../../support/explain-statements.ts';
import { testOutboxId } from '../../support/outbox-id.ts';
import { type OwnNeo4j, takeNeo4j } from '../../support/take-neo4j.ts';

let neo4j: OwnNeo4j;
let driver: Driver;
const shop = new RegistryKeys('shop');
beforeAll(async () => {
  neo4j = await takeNeo4j();
  driver = connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  await setUpGraph(driver, 'neo4j', createCatalog([graph]), testOutboxId, { keys: shop });
  const states = async () =>
    (await driver.executeQuery('SHOW INDEXES YIELD state')).records.map((row) => row.get('state'));
  await waitUntil(async () => ((await states()).every((state) => state === 'ONLINE') ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 50,
    what: 'every index to be online',
  });
});
afterAll(async () => {
  await driver?.close();
  await neo4j?.release();
});

const position = toPosition({ t: 1, i: 0 });
const page = { olderThanDays: 15, processedSeconds: 60, limit: 10, after: null };
const key = /UNIQUE a:OutgraphAggregate\(key\)/;
const tombstones = /RANGE INDEX a:OutgraphAggregate\(source, deletedAt\)/;

it.each<[string, RegExp, (driver: Driver) => Promise<unknown>]>([
  ['the tombstones', tombstones, (explained) => listTombstones(explained, 'neo4j', page, shop)],
  [
    'the aggregates of a type',
    key,
    (explained) =>
      listAggregates(explained, 'neo4j', shop, { aggregateType: 'graph', notAfter: position, after: '', limit: 10 }),
  ],
  ['the types', key, (explained) => listAggregateTypes(explained, 'neo4j', shop)],
  ['the manifests', key, (explained) => listWithManifests(explained, 'neo4j', shop.range, 10)],
  [
    'the changed aggregates',
    key,
    (explained) => listChangedSince(explained, 'neo4j', { ...shop.range, since: position, limit: 10 }),
  ],
  ['the forms of manifests', key, (explained) => readManifestForms(explained, 'neo4j', shop)],
  ['the count of aggregates', key, (explained) => countAggregates(explained, 'neo4j', shop)],
  ['the entries to remove', key, (explained) => removeEntries(explained, 'neo4j', shop)],
  ['the positions to withdraw', key, (explained) => withdrawPositions(explained, 'neo4j', shop, position)],
])('%s of a source are found with an index', async (_, index, run) => {
  const plans = await explainStatements(driver, run);
  expect(plans.length).toBeGreaterThan(0);
  for (const { operators, details } of plans) {
    expect(operators).toContainEqual(expect.stringMatching(/^Node(Unique)?IndexSeek/));
    expect(operators).not.toContainEqual(expect.stringMatching(/Scan/));
    expect(details.join('\n')).toMatch(index);
  }
});
