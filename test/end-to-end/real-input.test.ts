/**
 * A small part of the real input on the deployed functions: after each scan of a version, the graph
 * equals one built from scratch from that version alone.
 */
import { ObjectId } from 'mongodb';
import { afterAll, expect, it } from 'vitest';
import { bringToScan } from '../../demo/bring-to-scan.ts';
import { scanSources } from '../../demo/input/code/scan.ts';
import type { CodeRepository } from '../../demo/input/code/scan-graph.ts';
import type { Scan } from '../../demo/input/code/scan-types.ts';
import { codeVersions, readCodeVersion } from '../../demo/input/code/versions.ts';
import { printStep } from '../../tools/local/progress.ts';
import { closeClients, db, graph, mongodb, outbox } from '../support/wait-for.ts';

afterAll(closeClients);

/**
 * The sources of one folder. Between these versions, some of its files are removed and some change.
 */
async function scanVersion(wanted: string): Promise<Scan> {
  const version = codeVersions.find((one) => one.version === wanted) ?? expect.fail(`${wanted} is not pinned`);
  const sources = await readCodeVersion(version, printStep, new AbortController().signal);
  return scanSources(new Map([...sources].filter(([file]) => file.startsWith('src/cmap/auth/'))));
}

it('after each scan, of two versions and with a file removed, the graph is that of the scan alone', async () => {
  const repository: CodeRepository = { org_id: new ObjectId().toHexString(), repo: 'node-mongodb-native' };
  const { signal } = new AbortController();
  const context = { client: mongodb, db, outbox, driver: graph, neo4jDatabase: 'neo4j', signal };
  const scanInto = (scan: Pick<Scan, 'files'>) => bringToScan(context, repository, scan);
  const [older, newer] = [await scanVersion('6.12.0'), await scanVersion('7.0.0')];

  const first = await scanInto(older);
  expect(first).toMatchObject({ inserted: older.files.length, differences: [], dead: 0, bareSymbols: 0 });
  expect(first.relationships.found).toBeGreaterThan(100);

  const second = await scanInto(newer);
  expect(second).toMatchObject({ differences: [], dead: 0, bareSymbols: 0 });
  expect(second.events).toBe(second.inserted + second.replaced + second.deleted);
  expect(second.replaced).toBeGreaterThan(0);
  expect(second.deleted).toBeGreaterThan(0);
  expect(second.unchanged).toBeGreaterThan(0);

  // All classes extend AuthProvider, so it remains as a placeholder until its file returns.
  const without = { files: newer.files.filter(({ file_path }) => file_path !== 'src/cmap/auth/auth_provider.ts') };
  const third = await scanInto(without);
  expect(third).toMatchObject({ events: 1, deleted: 1, differences: [] });
  expect(third.bareSymbols).toBeGreaterThan(0);
  expect(await scanInto(newer)).toMatchObject({ events: 1, inserted: 1, differences: [], bareSymbols: 0 });

  // A scan without changes writes nothing.
  expect(await scanInto(newer)).toMatchObject({ events: 0, unchanged: newer.files.length, differences: [] });
});
