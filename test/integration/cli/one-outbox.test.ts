/** A graph belongs to one outbox: others are refused, and a graph can be adopted. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { afterAll, beforeEach, describe, expect } from 'vitest';
import { describeError } from '../../../lib/contract/fault.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { fromPosition, type Position, toPosition } from '../../../lib/contract/position.ts';
import { readSettings, workerSettings } from '../../../lib/runtime/settings.ts';
import { startWorker } from '../../../lib/worker/wiring.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { outgraph, startOutgraph } from '../../support/run-outgraph.ts';
import { silentLog } from '../../support/silent-log.ts';
import {
  expectInStep,
  it,
  readNodes,
  type SiteGraph,
  settingsOf,
  startConsumer,
  type TestDatabase,
  untilSettled,
  writeSome,
} from '../../support/site.ts';

let database: TestDatabase;
let graph: SiteGraph;
let other: Db;
it.beforeAll(async ({ site }) => {
  ({ graph, database } = site);
  other = database.client.db(`${database.db.databaseName}_other`);
  await writeSome(database, 10);
  const worker = startConsumer(database, graph);
  await expectInStep(database.db, graph);
  await worker.stop();
});
beforeEach(async () => {
  await setUp(own(), '--adopt');
});
afterAll(() => other?.dropDatabase());

const own = () => settingsOf(database, graph);
const others = () => ({ ...own(), MONGODB_DATABASE: other.databaseName });
const query = async (statement: string, parameters: object = {}) =>
  (await graph.driver.executeQuery(statement, parameters)).records.map((record) => record.toObject());
const runCommand = async (args: readonly string[], settings: Record<string, string>) => {
  const { exitCode, stdout, stderr } = await startOutgraph(args, settings).ended;
  return { exitCode, output: `${stdout}${stderr}` };
};

const setUp = async (settings: Record<string, string>, ...args: readonly string[]) => {
  const { exitCode, output } = await runCommand(['set-up', '--json', ...args], settings);
  if (exitCode !== 0) throw new Error(output);
  return JSON.parse(output) as Record<string, unknown>;
};

/** Every command that connects to the graph. */
const commands: readonly (readonly string[])[] = [
  ['show', 'memory-user', 'ada'],
  ['verify'],
  ['verify', '--repair', '--yes'],
  ['backfill', 'memory-event', '--prune', '--yes'],
  ['backfill', 'memory-event', '--direct', '--yes'],
  ['console', '--port', '0'],
  ['redrive', '--since', 'graph', '--yes'],
];

/**
 * Collects the faults of a worker with these settings until its consumer and its sweep have each
 * reported one.
 */
async function faultsOfWorker(settings: Record<string, string>): Promise<ReadonlySet<string>> {
  const failures = new Map<string, string>();
  const quick = { WORKER_SWEEP_SECONDS: '1', SWEEP_STALE_SECONDS: '1', PUBLISHER_LEASE_SECONDS: '5' };
  const worker = startWorker(readSettings(workerSettings, { ...settings, ...quick }), catalog, {
    ...silentLog,
    failed: (part, error) => void failures.set(part, describeError(error).code),
  });
  try {
    await waitUntil(async () => (failures.size >= 2 ? true : undefined), {
      timeoutSeconds: 60,
      pollMillis: 50,
      what: `consumer and sweep to fail, not ${JSON.stringify([...failures])}`,
    });
  } finally {
    await worker.stop();
  }
  return new Set(failures.values());
}

const statuses = async (db: Db) =>
  new Set((await db.collection(outboxCollection).find().toArray()).map(({ status }) => status));

describe('a graph of another outbox', () => {
  it('is refused by the set-up, which changes nothing and names the command that adopts it', async () => {
    const before = await query('MATCH (a:OutgraphAggregate) RETURN properties(a) AS entry ORDER BY a.key');
    const { exitCode, output } = await runCommand(['set-up'], others());
    expect(exitCode).toBe(1);
    expect(output).toMatch(/belongs to the outbox 00000000-.*set-up --adopt/s);
    expect(await query('MATCH (a:OutgraphAggregate) RETURN properties(a) AS entry ORDER BY a.key')).toStrictEqual(
      before,
    );
  });

  it.for(commands)('is refused by outgraph %s', async (args) => {
    await runCommand(['set-up'], others());
    const nodes = await readNodes(graph);
    const { exitCode, output } = await runCommand(args, others());
    expect({ exitCode, output }).toStrictEqual({
      exitCode: 1,
      output: expect.stringContaining('outgraph set-up --adopt'),
    });
    expect(await readNodes(graph)).toStrictEqual(nodes);
    expect(await other.collection(outboxCollection).countDocuments()).toBe(0);
  });

  it('is detected by the doctor', async () => {
    const { output } = await runCommand(['doctor'], others());
    expect(output).toMatch(/outbox +.*belongs to the outbox/);
  });

  it('is refused by a worker: nothing is applied, acknowledged or purged', async () => {
    await runCommand(['set-up'], others());
    const nodes = await readNodes(graph);
    await query(
      "CREATE (:OutgraphAggregate {key: 'graph:gone', position: '0', deletedAt: datetime() - duration({days: 31})})",
    );
    await writeSome({ ...database, db: other }, 3);
    expect(await faultsOfWorker(others())).toStrictEqual(new Set(['graph-of-another-outbox']));
    expect(await statuses(other)).toStrictEqual(new Set(['pending']));
    expect(await readNodes(graph)).toStrictEqual(nodes);
    expect(
      await query("MATCH (a:OutgraphAggregate {key: 'graph:gone'}) WITH a, a.key AS key DELETE a RETURN key"),
    ).toHaveLength(1);
    for (const name of [outboxCollection, 'memory_users', 'memory_events']) await other.collection(name).deleteMany({});
  });

  it('is adopted by set-up --adopt, and then refused to its previous outbox', async () => {
    await setUp(others(), '--adopt');
    await setUp(others());
    expect(await runCommand(['verify'], own())).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining('--adopt'),
    });
  });

  it('is given to only one of two outboxes that are set up at the same time', async () => {
    await query("MATCH (a:OutgraphAggregate {key: ''}) DELETE a");
    const runs = await Promise.all([runCommand(['set-up'], own()), runCommand(['set-up'], others())]);
    expect(runs.map(({ exitCode }) => exitCode).sort()).toStrictEqual([0, 1]);
  });
});

describe('a graph set up by an older version', () => {
  const unbind = () => query("MATCH (a:OutgraphAggregate {key: ''}) DELETE a");

  it.for(commands)('is refused by outgraph %s, which names the set-up', async (args) => {
    await unbind();
    const { exitCode, output } = await runCommand(args, own());
    expect({ exitCode, output }).toStrictEqual({ exitCode: 1, output: expect.stringMatching(/npx outgraph set-up\)/) });
  });

  it('gets its id from the next set-up, and then works', async () => {
    await unbind();
    expect(await faultsOfWorker(own())).toStrictEqual(new Set(['set-up-missing']));
    await setUp(own());
    await writeSome(database, 3);
    const worker = startConsumer(database, graph);
    await expectInStep(database.db, graph);
    await worker.stop();
  });
});

describe('a cluster whose time is behind the positions in the graph', () => {
  /** Sets positions as a cluster that is a day ahead would assign them. */
  const putAhead = async (where: string) => {
    const entries = await query(
      `MATCH (a:OutgraphAggregate) WHERE a.position IS NOT NULL AND ${where}
       RETURN a.key AS key, a.position AS position`,
    );
    const rows = entries.map(({ key, position }) => {
      const { t, i } = fromPosition(position as Position);
      return { key, position: toPosition({ t: t + 86_400, i }) };
    });
    await query('UNWIND $rows AS row MATCH (a:OutgraphAggregate {key: row.key}) SET a.position = row.position', {
      rows,
    });
    return rows.length;
  };
  const pending = () => database.db.collection(outboxCollection).countDocuments({ status: 'pending' });

  it('stops worker, sweep, set-up and commands until the graph is adopted and reprojected', async () => {
    const count = await putAhead('true');
    await writeSome(database, 6);
    const before = await pending();
    expect(before).toBeGreaterThan(6);
    expect(await faultsOfWorker(own())).toStrictEqual(new Set(['clock-behind-graph']));
    expect(await pending()).toBeGreaterThanOrEqual(before);
    for (const args of [['set-up'], ...commands]) {
      expect(await runCommand(args, own())).toMatchObject({
        exitCode: 1,
        output: expect.stringContaining('set-up --adopt'),
      });
    }

    expect(await setUp(own(), '--adopt')).toMatchObject({ withdrawn: count });
    // A deletion that the old cluster had before the move and that no event records.
    await database.db.collection(memoryEvent.collection).deleteOne({});
    await sleep(2_000);
    const worker = startConsumer(database, graph);
    await outgraph(['backfill', 'memory-user', 'memory-event', '--prune', '--transaction-seconds', '0'], own());
    await expectInStep(database.db, graph);
    await writeSome(database, 5);
    await expectInStep(database.db, graph);
    await worker.stop();
    expect(await setUp(own(), '--adopt')).toMatchObject({ withdrawn: 0 });
  });

  it('for one aggregate, keeps its events pending and settles all others', async () => {
    const [document] = await database.db.collection(memoryEvent.collection).find().toArray();
    const key = `memory-event:${document?._id}`;
    expect(await putAhead(`a.key = '${key}'`)).toBe(1);
    await outgraph(['backfill', 'memory-event'], own());
    const failures: string[] = [];
    const worker = startWorker(readSettings(workerSettings, own()), catalog, {
      ...silentLog,
      failed: (_, error) => void failures.push(describeError(error).code),
    });
    await waitUntil(async () => ((await pending()) === 1 && failures.length > 0 ? true : undefined), {
      timeoutSeconds: 60,
      pollMillis: 50,
      what: 'all other events to be settled',
    });
    await worker.stop();
    expect(new Set(failures)).toStrictEqual(new Set(['clock-behind-graph']));
    await setUp(own(), '--adopt');
    const again = startConsumer(database, graph);
    await untilSettled(database.db);
    await again.stop();
    await expectInStep(database.db, graph);
  });
});
