/**
 * The console as an operator uses it: the real command on real servers, viewed in a real browser.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ObjectId } from 'mongodb';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Worker } from '../../../lib/worker/wiring.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { stackFolder } from '../../../tools/local/paths.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { accessibilityViolations, chromiumPath, startChromium } from '../../support/chromium.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { startOutgraphProcess } from '../../support/run-outgraph.ts';
import {
  createTestDatabase,
  type SiteGraph,
  settingsOf,
  startConsumer,
  startGraph,
  type TestDatabase,
} from '../../support/site.ts';
import { type StartedConsole, startConsole } from './running-console.ts';

const screenshots = path.join(stackFolder, 'console-screenshots');

let database: TestDatabase;
let graph: SiteGraph;
let worker: Worker | null = null;
let started: StartedConsole;
let browser: Browser;
let page: Page;

describe.skipIf(chromiumPath === null)('the console', () => {
  beforeAll(async () => {
    [database, graph, browser] = await Promise.all([createTestDatabase(), startGraph(), startChromium()]);
    started = await startConsole({ ...settingsOf(database, graph), SWEEP_STALE_SECONDS: '1' }, startOutgraphProcess);
    await mkdir(screenshots, { recursive: true });
    page = await browser.newPage({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && !/ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text()))
        problems.push(message.text());
    });
  });
  afterAll(async () => {
    await worker?.stop();
    await started?.interrupt();
    await browser?.close();
    await graph?.close();
    await database?.drop();
  });

  /** Errors that the browser reported, including violations of the content policy. */
  const problems: string[] = [];

  it('shows without a reload that an event is pending and then applied', async () => {
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).host));
    await page.goto(started.url);
    await verdict('In step');
    await writeEvent('12-10');
    await verdict('Out of step');
    expect(await page.locator('.verdict').textContent()).toContain('1 event is pending');
    await page.locator('.figures > div', { hasText: 'Pending' }).getByText('1', { exact: true }).waitFor();
    worker = startConsumer(database, graph);
    await verdict('In step');
    await page.getByRole('cell', { name: 'worker' }).first().waitFor();
    // It sends requests to no other host.
    expect([...new Set(requests)]).toStrictEqual([new URL(started.url).host]);
  });

  it('shows the last minutes right after a reload', async () => {
    await page.reload();
    // Later samples do not include the pending event.
    await page.getByRole('img', { name: /Events pending.*between 0 and 1/ }).waitFor();
  });

  it('shows a dead event with its reason, and redrives it by keyboard only', async () => {
    const eventId = await dieOf('ownership-conflict', 'the node User u1 is owned by another aggregate');
    await verdict('Out of step');
    const tab = async (name: string | RegExp) => {
      const target = page.getByRole('button', { name }).or(page.getByRole('link', { name })).first();
      await target.waitFor();
      for (let step = 0; step < 60; step += 1) {
        if (await target.evaluate((element) => element === element.ownerDocument.activeElement)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`No tab leads to ${name}.`);
    };
    await tab(/^Dead events/);
    await page.keyboard.press('Enter');
    await page.getByText('the node User u1 is owned by another aggregate').waitFor();
    expect(await page.getByRole('table', { name: 'Dead events, newest' }).textContent()).toContain(eventId);
    await tab(/^Redrive the event of/);
    await page.keyboard.press('Enter');
    await page.getByText('This makes 1 event').waitFor();
    expect(await accessibilityViolations(page)).toStrictEqual([]);
    await page.screenshot({ path: path.join(screenshots, 'dialog.png') });
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await statusOf(eventId)).toBe('dead');
    // The focus returns to where the dialog was opened, and it opens again at any time.
    for (let time = 0; time < 20; time += 1) {
      await page.keyboard.press('Enter');
      await page.getByText('This makes 1 event').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await page.keyboard.press('Enter');
    await tab('Redrive 1 event');
    await page.keyboard.press('Enter');
    await page.getByText('1 event is pending again.').waitFor();
    await tab('Close');
    await page.keyboard.press('Enter');
    await page.getByText('No event is dead.').waitFor();
    await untilStatus(eventId, 'processed');
    await page.getByRole('link', { name: 'Status' }).click();
    await verdict('In step');
  });

  it('redrives all events of one code and type, and no others', async () => {
    const events = [await dieOf('ownership-conflict'), await dieOf('ownership-conflict')];
    const other = await dieOf('payload-invalid');
    await page.getByRole('link', { name: /^Dead events/ }).click();
    await page.getByRole('button', { name: 'Redrive all of type graph with ownership-conflict …' }).click();
    await page.getByRole('button', { name: 'Redrive 2 events' }).click();
    await page.getByText('2 events are pending again.').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    for (const eventId of events) await untilStatus(eventId, 'processed');
    expect(await statusOf(other)).toBe('dead');
  });

  it('a redrive continues, and stays visible, after a reload', async () => {
    // The rate is 100 events per second, so this takes four seconds.
    await dieOften('ownership-conflict', 400);
    await page.getByRole('link', { name: /^Dead events/ }).click();
    await page.getByRole('button', { name: 'Redrive all of type graph with ownership-conflict …' }).click();
    await page.getByRole('button', { name: 'Redrive 400 events' }).click();
    await page.getByText(/of 400 events are pending again …/).waitFor();
    await page.reload();
    await page
      .getByRole('status')
      .getByText(/of 400 events are pending again …/)
      .waitFor();
    await waitUntil(async () => ((await countDead('ownership-conflict')) === 0 ? true : undefined), {
      timeoutSeconds: 60,
      pollMillis: 50,
      what: 'the redrive to reach all of them',
    });
    await page
      .getByRole('button', { name: /^Redrive all of type graph with ownership/ })
      .waitFor({ state: 'detached' });
  });

  it('marks damage in the graph by a sign and in words', async () => {
    const id = await writeEvent('03-04');
    const hostile = '<img src=x onerror="document.body.remove()">';
    const relationships = await waitForRelationship(id);
    await page.goto(`${started.url}#/aggregate?${new URLSearchParams({ type: 'memory-event', id })}`);
    await page.reload();
    await page.getByText('The graph matches the document.').waitFor();
    await graph.driver.executeQuery('MATCH ()-[r {event_id: $id}]->() SET r.event_name = $name', { id, name: hostile });
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText(/The graph does not match the document: 1 element differs/).waitFor();
    await page.getByRole('heading', { name: '1 element that differs' }).waitFor();
    const row = page.getByRole('row', { name: /HAS_EVENT/ }).filter({ hasText: '<img src=x' });
    expect(await row.textContent()).toContain('different');
    // It is shown as text and does nothing.
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('.relationship.changed text').first().textContent()).toBe('≠ HAS_EVENT');
    expect(relationships).toBe(1);
    await graph.driver.executeQuery('MATCH ()-[r {event_id: $id}]->() DELETE r', { id });
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.locator('.relationship.missing.absent').waitFor();
    expect(await page.getByRole('cell', { name: /HAS_EVENT.*missing in the graph/ }).count()).toBeGreaterThan(0);
  });

  it.each(['light', 'dark'] as const)('passes the checks of axe, and fits a narrow screen: %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const id = String((await database.db.collection('memory_events').findOne())?._id);
    const views = { status: '#/status', dead: '#/dead', aggregate: `#/aggregate?type=memory-event&id=${id}` };
    for (const [name, hash] of Object.entries(views)) {
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 860 });
        await page.goto(`${started.url}${hash}`);
        await page.locator('main section').first().waitFor();
        expect([name, width, ...(await accessibilityViolations(page))]).toStrictEqual([name, width]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, `${name} ${width}`).toBe(0);
        const cutOff =
          "[...document.querySelectorAll('.scrolls')].filter((one) => one.scrollWidth > one.clientWidth).length";
        expect(await page.evaluate(cutOff), `tables cut off, ${name} ${width}`).toBe(0);
        await page.screenshot({ path: path.join(screenshots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
  });

  it('says that it does not know an aggregate', async () => {
    await page.goto(`${started.url}#/aggregate?type=memory-event&id=unknown`);
    await page.getByText('There is no such document').waitFor();
  });

  it('Ctrl-C exits 0, a redrive stops after its current chunk, and the page says so', async () => {
    await dieOften('value-unsupported', 1_000);
    await page.goto(`${started.url}#/dead`);
    await page.getByRole('button', { name: 'Redrive all of type graph with value-unsupported …' }).click();
    await page.getByRole('button', { name: 'Redrive 1,000 events' }).click();
    await page.getByText(/of 1,000 events are pending again …/).waitFor();
    expect(problems.filter((text) => !text.includes('404'))).toStrictEqual([]);
    started.interrupt();
    expect(await started.ended).toMatchObject({ exitCode: 0, stdout: `${started.url}\n` });
    const remaining = await countDead('value-unsupported');
    expect(remaining).toBeGreaterThan(0);
    expect(remaining).toBeLessThan(1_000);
    const dialog = page.getByRole('dialog');
    // Its last message may have been lost.
    await dialog
      .getByText('It was interrupted')
      .or(dialog.getByText('Events that it did not reach are still dead'))
      .waitFor();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('The console does not answer.', { exact: true }).waitFor();
  });
});

const verdict = (words: string) => page.getByRole('heading', { name: words, exact: true }).waitFor({ timeout: 60_000 });

/** Writes an event as a user does. Returns the aggregate's id. */
async function writeEvent(date: string): Promise<string> {
  const events = trackCollection(database.client, database.db, memoryEvent);
  const _id = new ObjectId();
  await events.insertOne({ _id, user_id: 'ada', date, event_name: 'birthday' });
  return String(_id);
}

/** Inserts a dead event that is in fact valid, as if its cause had been fixed. */
async function dieOf(code: string, message = 'for a test'): Promise<string> {
  const [eventId = ''] = await dieOften(code, 1, message);
  return eventId;
}

async function dieOften(code: string, count: number, message = 'for a test'): Promise<readonly string[]> {
  const die = () => upsertEvent({ nodes: [] }, { status: 'dead', deadAt: new Date(), error: { code, message } });
  const events = Array.from({ length: count }, die);
  await database.db.collection(outboxCollection).insertMany(events);
  return events.map(({ _id }) => String(_id));
}

function countDead(code: string): Promise<number> {
  return database.db.collection(outboxCollection).countDocuments({ status: 'dead', 'error.code': code });
}

async function statusOf(eventId: string): Promise<string | undefined> {
  const event = await database.db.collection(outboxCollection).findOne({ _id: new ObjectId(eventId) });
  return event?.status;
}

function untilStatus(eventId: string, status: string): Promise<true> {
  return waitUntil(async () => ((await statusOf(eventId)) === status ? true : undefined), {
    timeoutSeconds: 60,
    pollMillis: 50,
    what: `event ${eventId} to be ${status}`,
  });
}

function waitForRelationship(id: string): Promise<number> {
  return waitUntil(
    async () => {
      const { records } = await graph.driver.executeQuery('MATCH ()-[r {event_id: $id}]->() RETURN r', { id });
      return records.length === 0 ? undefined : records.length;
    },
    { timeoutSeconds: 60, pollMillis: 50, what: `the relationship of ${id}` },
  );
}
