/**
 * The console while a server is unavailable: on its own replica set, which is stopped and started
 * again, and with an unreachable Neo4j.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { freePort } from '../../../tools/local/free-port.ts';
import { installMongod } from '../../../tools/local/mongod.ts';
import { printStep } from '../../../tools/local/progress.ts';
import { type RestartableReplicaSet, startRestartableMongodb } from '../../../tools/local/restartable-mongodb.ts';
import { type StartedConsole, startConsole } from '../../integration/console/running-console.ts';
import { accessibilityViolations, chromiumPath, startChromium } from '../../support/chromium.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describe.skipIf(chromiumPath === null)('the console, while a server is unavailable,', () => {
  let folder: string;
  let mongodb: RestartableReplicaSet;
  let started: StartedConsole;
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'outgraph-console-'));
    const binary = await installMongod(printStep, new AbortController().signal);
    mongodb = await startRestartableMongodb({ binary, folder, logsFolder: folder, members: 1 });
    const client = new MongoClient(mongodb.uri);
    await setUpOutbox(client.db('outgraph'), { processedRetentionSeconds: 3_600 });
    await client.close();
    const settings = { MONGODB_URI: mongodb.uri, NEO4J_URI: `bolt://127.0.0.1:${await freePort()}` };
    [started, browser] = await Promise.all([startConsole(settings), startChromium()]);
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
  });
  afterAll(async () => {
    await started?.interrupt();
    await browser?.close();
    await mongodb?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const verdict = (words: string) => page.getByRole('heading', { name: words, exact: true }).waitFor();

  it('says in the view that needs Neo4j that it does not answer, and what to check', async () => {
    await page.goto(`${started.url}#/aggregate?type=memory-event&id=66a0c0ffee0123456789abcd`);
    const problem = page.getByRole('alert');
    await problem.waitFor();
    expect(await problem.textContent()).toContain('does NEO4J_URI name it?');
    await page.getByRole('link', { name: 'Status' }).click();
    await verdict('In step');
  });

  it('shows no verdict while MongoDB is unavailable, and recovers automatically', async () => {
    const [member] = mongodb.members;
    await member?.stop();
    await verdict('Unknown');
    expect(await page.locator('.verdict').textContent()).toMatch(/Below is the status of \d\d:\d\d:\d\d/);
    expect(await page.title()).toContain('Unknown');
    expect(await accessibilityViolations(page)).toStrictEqual([]);
    await page.getByRole('link', { name: 'Dead events' }).click();
    await page.getByText('The dead events cannot be read.').waitFor();
    await member?.start();
    await mongodb.untilHealthy();
    await page.getByText('No event is dead.').waitFor();
    await page.getByRole('link', { name: 'Status' }).click();
    await verdict('In step');
  });
});
