/**
 * The comparison in `npm start`: XMem's way of writing a scan, and the count of what it leaves
 * behind.
 */
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scanSources } from '../../../demo/input/code/scan.ts';
import { countXmemLeftovers } from '../../../demo/xmem/count-leftovers.ts';
import { prepareXmemScans, writeScanAsXmem, type XmemHashes } from '../../../demo/xmem/write-scan.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { servers } from '../../support/servers.ts';

const driver = connectGraph(servers);
beforeAll(() => prepareXmemScans(driver, 'neo4j'));
afterAll(async () => {
  await driver.executeQuery('MATCH (n) WHERE n:XmemDirectory OR n:XmemFile OR n:XmemSymbol DETACH DELETE n');
  await driver.close();
});

const nothing = { ghostFiles: 0, ghostNames: 0, ghostVersions: 0, staleCalls: 0, staleImports: 0, missingCalls: 0 };

/** A repository to which scans are written in XMem's way. */
function repositoryOfXmem() {
  const repository = { org_id: new ObjectId().toHexString(), repo: 'tools' };
  const hashes: XmemHashes = { files: new Map(), symbols: new Map() };
  return async (sources: Readonly<Record<string, string>>, isScanned: (path: string) => boolean = () => true) => {
    const { files } = scanSources(new Map(Object.entries(sources)));
    const scan = { files: files.filter(({ file_path }) => isScanned(file_path)) };
    const written = await writeScanAsXmem(driver, 'neo4j', repository, scan, hashes);
    return { ...written, leftovers: await countXmemLeftovers(driver, 'neo4j', repository, scan) };
  };
}

const before = {
  'src/a.ts': "import { b } from './b';\nexport function a() { b(); }",
  'src/b.ts': 'export function b() { return 1; }\nexport function old() {}',
  'src/c.ts': "import { b } from './b';\nexport function c() { b(); }",
};

it('a first scan leaves nothing behind, and one without changes writes nothing', async () => {
  const write = repositoryOfXmem();
  // Three directories and files, four symbols, two calls, two imports.
  expect(await write(before)).toMatchObject({ transactions: 14, dropped: 0, leftovers: nothing });
  expect(await write(before)).toMatchObject({ transactions: 0, leftovers: nothing });
});

it('an edit, a removed symbol and a removed file leave ghosts, stale edges and a missing call', async () => {
  const write = repositoryOfXmem();
  await write(before);
  const { 'src/c.ts': _, ...kept } = before;
  const { leftovers } = await write({ ...kept, 'src/b.ts': 'export function b() { return 2; }' });
  expect(leftovers).toStrictEqual({
    ghostFiles: 1,
    ghostNames: 2,
    ghostVersions: 1,
    staleCalls: 2,
    staleImports: 1,
    missingCalls: 1,
  });
});

it('an edge to a missing symbol is dropped', async () => {
  const write = repositoryOfXmem();
  expect(await write(before, (path) => path === 'src/a.ts')).toMatchObject({
    dropped: 2,
    leftovers: { missingCalls: 1 },
  });
});
