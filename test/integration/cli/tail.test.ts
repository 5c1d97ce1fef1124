/** `outgraph tail` on a real outbox: its output while events are written and settled. */
import { BSON, type Document, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { makePending } from '../../../cli/redrive/mongodb-redrive.ts';
import { acknowledgeEvents } from '../../../lib/consumer/mongodb-acknowledge.ts';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { eventMaxBytes, outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { markDead } from '../../../lib/outbox/mongodb-mark-dead.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { type RunningOutgraph, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
const running: RunningOutgraph[] = [];
afterEach(() => Promise.all(running.splice(0).map((command) => command.interrupt())));
afterAll(() => database.drop());

const outbox = () => database.db.collection(outboxCollection);

async function write(fields: Document = {}): Promise<string> {
  const event = upsertEvent({ secret: 'of a user' }, fields);
  await outbox().insertOne(event);
  return event._id.toHexString();
}

/** A running command and its output so far. */
function startTail(args: readonly string[], start = startOutgraph) {
  let stdout = '';
  const { MONGODB_URI, MONGODB_DATABASE } = database.settings;
  const command = start(['tail', ...args], { MONGODB_URI, MONGODB_DATABASE }, (text) => {
    stdout += text;
  });
  running.push(command);
  const lines = () => stdout.split('\n').slice(0, -1);
  const untilLines = (count: number) =>
    waitUntil(async () => (lines().length >= count ? lines() : undefined), {
      timeoutSeconds: 60,
      pollMillis: 20,
      what: `${count} lines`,
    });
  return { command, lines, untilLines };
}

/**
 * Starts tail with JSON output. Resolves once it follows the outbox: writes events of a separate
 * type until the first one is printed.
 */
async function startFollowing(...args: readonly string[]) {
  const tail = startTail(['--json', '--type', 'hello', ...args]);
  await waitUntil(
    async () => {
      await write({ aggregateType: 'hello' });
      return tail.lines().length > 0 ? true : undefined;
    },
    { timeoutSeconds: 60, pollMillis: 200, what: 'the first line' },
  );
  const changes = () => tail.lines().map((line): Document => JSON.parse(line));
  const others = () => changes().filter(({ aggregateType }) => aggregateType !== 'hello');
  const untilOthers = (count: number) =>
    waitUntil(async () => (others().length >= count ? others() : undefined), {
      timeoutSeconds: 60,
      pollMillis: 20,
      what: `${count} changes`,
    });
  return { ...tail, untilOthers };
}

it('prints each written, applied, dead and redriven event once and in order; Ctrl-C exits 0', async () => {
  const { command, untilOthers } = await startFollowing('--type', 'person');
  const aggregateId = new ObjectId().toHexString();
  const fields = { aggregateType: 'person', aggregateId, createdAt: new Date(Date.now() - 60_000) };
  const eventId = await write(fields);
  await markDead(outbox(), [{ eventId, code: 'key-invalid', message: 'for a test' }]);
  await makePending(outbox(), 'dead', [eventId]);
  await acknowledgeEvents(outbox(), [eventId]);
  await makePending(outbox(), 'processed', [eventId]);
  const printed = await untilOthers(5);
  expect(printed.map(({ what }) => what)).toStrictEqual(['written', 'dead', 'redriven', 'applied', 'redriven']);
  for (const change of printed)
    expect(change).toMatchObject({
      aggregateType: 'person',
      aggregateId,
      eventId,
      operation: 'upsert',
      position: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  expect(printed[1]).toMatchObject({ code: 'key-invalid' });
  expect(printed[3]?.lagMillis).toBeGreaterThanOrEqual(60_000);
  expect(Math.abs(Date.parse(printed[0]?.at) - Date.now())).toBeLessThan(60_000);
  command.interrupt();
  const { exitCode, stdout, stderr } = await command.ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 0, stderr: '' });
  expect(stdout).not.toContain('of a user');
});

it('does not print updates that the sweep makes to an event', async () => {
  const { untilOthers } = await startFollowing('--type', 'swept');
  const eventId = await write({ aggregateType: 'swept' });
  await outbox().updateOne({ _id: new ObjectId(eventId) }, { $set: { nextAttemptAt: new Date() } });
  await acknowledgeEvents(outbox(), [eventId]);
  expect((await untilOthers(2)).map(({ what }) => what)).toStrictEqual(['written', 'applied']);
});

it('prints an event of the largest size that the outbox accepts, and its settling', async () => {
  const { untilOthers } = await startFollowing('--type', 'large');
  const small = upsertEvent({ text: '' }, { aggregateType: 'large' });
  const textBytes = eventMaxBytes - BSON.calculateObjectSize(small);
  const event = { ...small, payload: { text: 'x'.repeat(textBytes) } };
  await outbox().insertOne(event);
  await acknowledgeEvents(outbox(), [event._id.toHexString()]);
  expect((await untilOthers(2)).map(({ what }) => what)).toStrictEqual(['written', 'applied']);
});

it('prints text from a past time on, for the chosen aggregates, without canaries', async () => {
  const aggregateId = new ObjectId().toHexString();
  const eventId = await write({ aggregateType: 'past', aggregateId });
  await write({ aggregateType: 'past' });
  await write({ ...canaryAggregate });
  await acknowledgeEvents(outbox(), [eventId]);
  await write({ aggregateType: 'past', aggregateId: 'last' });
  const { command, untilLines } = startTail(
    ['--since', '60', '--type', 'past', '--id', aggregateId, '--id', 'last'],
    startOutgraphProcess,
  );
  const lines = await untilLines(3);
  command.interrupt();
  expect((await command.ended).exitCode).toBe(0);
  expect(lines).toHaveLength(3);
  const line = (what: string) =>
    expect.stringMatching(new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z  [0-9a-f]{16}  ${what}`));
  expect(lines).toStrictEqual([
    line(`written   upsert  past  ${aggregateId}$`),
    line(`applied   upsert  past  ${aggregateId}  after (\\d+ ms|\\d+\\.\\d s|\\d+ s|\\d+ min.*)$`),
    line('written   upsert  past  last$'),
  ]);
});

it('prints canaries on request', async () => {
  await write({ ...canaryAggregate });
  const { untilLines } = startTail(['--since', '60', '--json', '--canaries', '--type', canaryAggregate.aggregateType]);
  expect(JSON.parse((await untilLines(1))[0] ?? '')).toMatchObject(canaryAggregate);
});

it('an invalid type is wrong use', async () => {
  const { exitCode, stderr } = await startTail(['--type', 'No Type']).command.ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 2, stderr: expect.stringContaining('an aggregate type') });
});
