/** `outgraph worker --once`: for CI and scripts. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, vi } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { badEvents, takenMail } from '../../support/bad-events.ts';
import { insertRaw } from '../../support/insert-raw.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  expectInStep,
  it,
  type Site,
  settingsOf,
  startConsumer,
  writeSome,
  writeSteadily,
} from '../../support/site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const run = promisify(execFile);

const start = ({ database, graph }: Site, changed: Readonly<Record<string, string>> = {}, ...args: readonly string[]) =>
  startOutgraphProcess(['worker', '--once', ...args], { ...settingsOf(database, graph), ...changed });
const outboxOf = ({ database }: Site) => database.db.collection(outboxCollection);
const pending = (site: Site) => outboxOf(site).countDocuments({ status: 'pending' });
const node = (id: string) => upsertEvent({ nodes: [{ label: 'Drained', key: { id } }] }, { aggregateId: id });

it('a drain with nothing pending exits 0, and has proved the path with a canary', async ({ site }) => {
  expect(await start(site).ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await outboxOf(site).countDocuments({ aggregateType: 'outgraph-canary', status: 'processed' })).toBe(1);
  expect(await pending(site)).toBe(0);
});

it('a drain applies everything that is pending, and exits 0', async ({ site }) => {
  await writeSome(site.database, 200);
  expect(await start(site).ended).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await pending(site)).toBe(0);
  await expectInStep(site.database.db, site.graph);
});

it('a drain applies events that a sweep has put off, and counts no attempt', async ({ site }) => {
  const event = node('late');
  const inAnHour = new Date(Date.now() + 3_600_000);
  await outboxOf(site).insertOne({ ...event, attempts: 3, nextAttemptAt: inAnHour });
  expect(await start(site, { SWEEP_STALE_SECONDS: '1' }).ended).toMatchObject({ exitCode: 0 });
  expect(await outboxOf(site).findOne({ _id: event._id })).toMatchObject({ status: 'processed', attempts: 3 });
});

it('a drain ends while writers continue', async ({ site }) => {
  const writers = writeSteadily(site.database);
  expect(await start(site).ended).toMatchObject({ exitCode: 0, stderr: '' });
  await writers.stop();
});

it('two drains at once, and one beside a worker, exit 0', async ({ site }) => {
  await writeSome(site.database, 100);
  const runs = await Promise.all([start(site).ended, start(site).ended]);
  expect(runs).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
  const worker = startConsumer(site.database, site.graph);
  await writeSome(site.database, 100);
  expect(await start(site).ended).toMatchObject({ exitCode: 0, stderr: '' });
  await worker.stop();
  await expectInStep(site.database.db, site.graph);
});

it('a drain that is away from a server exits 1 at once, and says which', async ({ site }) => {
  const ended = await start(site, { NEO4J_URI: 'bolt://127.0.0.1:1' }).ended;
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^Neo4j at 127\.0\.0\.1:1 cannot be reached: nothing listens there .*\n$/);
});

it('a drain that makes no progress gives up, exits 1, and says why', async ({ site }) => {
  const { driver } = site.graph;
  await outboxOf(site).insertOne(node('locked'));
  expect(await start(site).ended).toMatchObject({ exitCode: 0 });
  const session = driver.session();
  const lock = session.beginTransaction();
  await lock.run("MATCH (n:Drained {id: 'locked'}) SET n._lock = true");
  const next = upsertEvent(
    { nodes: [{ label: 'Drained', key: { id: 'locked' }, properties: { next: true } }] },
    { aggregateId: 'locked' },
  );
  await outboxOf(site).insertOne(next);
  const ended = await start(site, {}, '--give-up-after', '20').ended;
  await lock.rollback();
  await session.close();
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(/^1 event is still pending\. .*lock/m);
  expect(await start(site).ended).toMatchObject({ exitCode: 0 });
});

it('a drain that is stopped before its end exits 143', async ({ site }) => {
  const { driver } = site.graph;
  const session = driver.session();
  const lock = session.beginTransaction();
  await lock.run("MATCH (n:Drained {id: 'locked'}) SET n._lock = true");
  await outboxOf(site).insertOne(upsertEvent({ nodes: [] }, { aggregateId: 'locked' }));
  const started = Promise.withResolvers<void>();
  const drain = startOutgraphProcess(['worker', '--once'], settingsOf(site.database, site.graph), (text) => {
    if (text.includes('publishing every pending event')) started.resolve();
  });
  await started.promise;
  expect(await drain.terminate()).toMatchObject({ exitCode: 143 });
  await lock.rollback();
  await session.close();
});

it.runIf(process.platform === 'linux')(
  'on a terminal the log is text, and with --json it is JSON',
  async ({ site }) => {
    // `script` runs a command on a terminal of its own.
    const onTerminal = async (command: string) => {
      const words = `${process.execPath} ${path.join(projectRoot, 'cli/outgraph.ts')} ${command}`;
      const env = { PATH: process.env.PATH, ...settingsOf(site.database, site.graph), SHELL: '/bin/sh' };
      const { stdout } = await run('script', ['-qec', words, '/dev/null'], { cwd: import.meta.dirname, env });
      return stdout.trim().split('\r\n').at(-1) ?? '';
    };
    const colour = String.fromCodePoint(0x1b);
    expect(await onTerminal('worker --once')).toMatch(new RegExp(`${colour}.*info.* worker stopped .*applied=[1-9]`));
    expect(JSON.parse(await onTerminal('worker --once --json'))).toMatchObject({
      message: 'worker stopped',
      applied: 1,
    });
  },
);

it('after a drain, no bad event of any kind is pending; it exits 1, and counts the dead ones', async ({ site }) => {
  const label = 'Rotten';
  const { driver } = site.graph;
  await driver.executeQuery(`CREATE CONSTRAINT rotten_mail FOR (n:${label}) REQUIRE n.mail IS UNIQUE`);
  await driver.executeQuery(`CREATE (:${label} {mail: $takenMail})`, { takenMail });
  const bad = badEvents(label);
  for (const { event, bypass = false } of bad)
    await insertRaw(site.database.db, outboxCollection, [event], { bypassDocumentValidation: bypass });
  const ended = await start(site, { CONFLICT_MAX_RECEIVES: '2' }).ended;
  const dead = await outboxOf(site).countDocuments({ status: 'dead' });
  expect(dead).toBeGreaterThan(10);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain(`${dead} events are dead. See why: npx outgraph dead list\n`);
  expect(await outboxOf(site).countDocuments({ status: { $nin: ['processed', 'dead'] } })).toBe(0);
});
