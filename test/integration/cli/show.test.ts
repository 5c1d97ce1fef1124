/** `outgraph show` of aggregates with and without differences, on its own servers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Int32, ObjectId } from 'mongodb';
import { afterAll, expect, vi } from 'vitest';
import type { AggregateView } from '../../../cli/show/aggregate-view.ts';
import { canaryAggregate } from '../../../lib/contract/canary.ts';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import type { Worker } from '../../../lib/worker/wiring.ts';
import { trackCollection } from '../../../lib/writer/tracked-collection.ts';
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { codeFile } from '../../../xmem/aggregates/code-file.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { upsertEvent } from '../../support/outbox-event.ts';
import { answerOf, startOutgraph, startOutgraphProcess } from '../../support/run-outgraph.ts';
import { it, type SiteGraph, settingsOf, startConsumer, type TestDatabase } from '../../support/site.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let graph: SiteGraph;
let database: TestDatabase;
let folder: string;
let worker: Worker | undefined;
it.beforeAll(async ({ site, worker: started }) => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-show-'));
  ({ graph, database } = site);
  worker = started;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const outbox = () => database.db.collection(outboxCollection);
const events = () => trackCollection(database.client, database.db, memoryEvent);
const run = (statement: string, parameters: Readonly<Record<string, unknown>> = {}) =>
  graph.driver.executeQuery(statement, parameters);

/** Waits until the worker has settled every pending event. */
async function settle(): Promise<void> {
  const pending = { status: 'pending', aggregateType: { $ne: canaryAggregate.aggregateType } };
  await waitUntil(async () => ((await outbox().countDocuments(pending)) === 0 ? true : undefined), {
    timeoutSeconds: 90,
    pollMillis: 50,
    what: 'every event to be settled',
  });
}

/** Creates a memory event of a new user and waits until it is in the graph. Returns its id. */
async function createEvent(): Promise<string> {
  const _id = new ObjectId();
  await events().insertOne({ _id, user_id: `user-${_id}`, date: '12-10', event_name: 'birthday', year: new Int32(7) });
  await settle();
  return _id.toHexString();
}

type Shown = AggregateView & { readonly exitCode: number | null; readonly outcome: string };

const show = (...args: readonly string[]) =>
  answerOf<Shown>(startOutgraph(['show', '--json', ...args], settingsOf(database, graph)));

it('an aggregate that matches its document is equal, and is shown completely', async () => {
  const id = await createEvent();
  const found = await show('memory-event', id);
  expect(found).toMatchObject({
    exitCode: 0,
    outcome: 'equal',
    search: 'found',
    document: { _id: { $oid: id }, event_name: 'birthday', year: 7 },
    fault: null,
    events: [{ operation: 'upsert', status: 'processed', error: null, processedAt: expect.any(String) }],
    registry: { deleted: false, elements: 1 },
    isInFlight: false,
    differences: [],
  });
  expect(found.registry?.position).toBe(found.events[0]?.position);
  const properties = { event_id: id, event_name: 'birthday', year: '7' };
  for (const view of [found.expected, found.standing]) {
    expect(view?.nodes).toMatchObject([
      { labels: ['User'], properties: { user_id: `user-${id}` }, hold: 'end' },
      { labels: ['Date'], properties: { date: '12-10' }, hold: 'end' },
    ]);
    const [user, date] = view?.nodes.map(({ identity }) => identity) ?? [];
    expect(view?.relationships).toMatchObject([{ type: 'HAS_EVENT', from: user, to: date, properties }]);
  }
  expect(found.standing.relationships).toStrictEqual(found.expected?.relationships);
});

it('the text output has sections and ends with the verdict', async () => {
  const id = await createEvent();
  const { exitCode, stdout } = await startOutgraph(['show', 'memory-event', id], settingsOf(database, graph)).ended;
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`"$oid": "${id}"`);
  expect(stdout).toContain(`(:User {user_id: "user-${id}"})-[:HAS_EVENT {`);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('The graph matches the document.');
});

it('distinguishes the nodes of a file: owned, shared with other files, or endpoint only', async () => {
  const _id = new ObjectId();
  const file = { org_id: 'o', repo: 'r', file_path: 'src/a.ts', symbols: [{ symbol_name: 'f' }] };
  const calls = [{ from: 'f', to: { file_path: 'src/b.ts', symbol_name: 'g' } }];
  await trackCollection(database.client, database.db, codeFile).insertOne({ _id, ...file, calls });
  await settle();
  const { outcome, expected, standing } = await show('code-file', _id.toHexString());
  expect(outcome).toBe('equal');
  const holds = (view: Shown['standing'] | null) =>
    Object.fromEntries(
      view?.nodes.map(({ labels, properties, hold }) => [labels[0] + String(properties.symbol_name ?? ''), hold]) ?? [],
    );
  expect(holds(standing)).toMatchObject({ File: 'owned', Directory: 'shared', Symbolf: 'owned', Symbolg: 'end' });
  expect(holds(standing)).toStrictEqual(holds(expected));
});

it('an aggregate with a pending event is different and in flight, and the older state is shown', async () => {
  const id = await createEvent();
  await worker?.stop();
  await events().updateOne({ _id: new ObjectId(id) }, { $set: { date: '01-01' } });
  const found = await show('memory-event', id);
  expect(found).toMatchObject({
    exitCode: 4,
    outcome: 'different',
    isInFlight: true,
    events: [{ status: 'pending' }, { status: 'processed' }],
  });
  expect(found.differences.map(({ kind, element }) => [kind, element === null])).toStrictEqual([
    ['stale', true],
    ['missing', false],
    ['stale', false],
  ]);
  worker = startConsumer(database, graph);
  await settle();
  expect(await show('memory-event', id)).toMatchObject({ exitCode: 0, outcome: 'equal', isInFlight: false });
});

it('an aggregate whose document was changed without outgraph is stale and not in flight', async () => {
  const id = await createEvent();
  await database.db.collection(memoryEvent.collection).updateOne({ _id: new ObjectId(id) }, { $set: { desc: 'new' } });
  const found = await show('memory-event', id);
  expect(found).toMatchObject({ exitCode: 4, isInFlight: false, differences: [{ kind: 'stale' }, { kind: 'stale' }] });
  expect(found.differences[1]?.reason).toBe('Its properties differ: desc.');
});

it('reports an element changed in the graph with the names of its changed properties', async () => {
  const id = await createEvent();
  await run('MATCH ()-[r:HAS_EVENT {event_id: $id}]->() SET r.event_name = $secret', { id, secret: 'else' });
  const found = await show('memory-event', id);
  expect(found).toMatchObject({ exitCode: 4, outcome: 'different' });
  expect(found.differences).toMatchObject([{ kind: 'changed', reason: 'Its properties differ: event_name.' }]);
  expect(found.standing.relationships).toMatchObject([{ properties: { event_name: 'else' } }]);
});

it('an element deleted from the graph is a difference, and is not shown as present', async () => {
  const id = await createEvent();
  await run('MATCH ()-[r:HAS_EVENT {event_id: $id}]->() DELETE r', { id });
  const found = await show('memory-event', id);
  expect(found.differences).toMatchObject([{ kind: 'changed', reason: 'The relationship is gone.' }]);
  expect(found.standing).toStrictEqual({ nodes: [], relationships: [] });
});

it('an endpoint that has lost its label is shown without a label', async () => {
  const id = await createEvent();
  await run('MATCH (u:User {user_id: $user}) REMOVE u:User', { user: `user-${id}` });
  const { differences, standing } = await show('memory-event', id);
  expect(differences).toMatchObject([{ kind: 'changed' }]);
  const [relationship] = standing.relationships;
  expect(standing.nodes.find(({ identity }) => identity === relationship?.from)).toMatchObject({
    labels: [],
    hold: 'end',
  });
});

it('shows why the newest event is dead, and why the document can never be applied', async () => {
  const id = await createEvent();
  const _id = new ObjectId(id);
  await database.db.collection(memoryEvent.collection).updateOne({ _id }, { $set: { date: '13-45' } });
  const payload = { _id, user_id: 'ada', date: '13-45' };
  await outbox().insertOne(upsertEvent(payload, { aggregateType: 'memory-event', aggregateId: id }));
  await settle();
  const found = await show('memory-event', id);
  expect(found).toMatchObject({
    exitCode: 4,
    expected: null,
    fault: { code: 'payload-invalid', reason: expect.stringContaining('payload.date') },
    events: [{ status: 'dead', error: { code: 'payload-invalid' } }, { status: 'processed' }],
    differences: [{ kind: 'dead' }, { kind: 'dead' }],
  });
  await outbox().deleteMany({ status: 'dead' });
});

it('a deleted aggregate is equal: it has no document and no element in the graph', async () => {
  const id = await createEvent();
  await events().deleteOne({ _id: new ObjectId(id) });
  await settle();
  expect(await show('memory-event', id)).toMatchObject({
    exitCode: 0,
    outcome: 'equal',
    search: 'absent',
    document: null,
    events: [{ operation: 'delete' }, { operation: 'upsert' }],
    registry: { deleted: true, elements: 0 },
    standing: { nodes: [], relationships: [] },
  });
});

it('an aggregate whose document was deleted without outgraph is a ghost, shown with its elements', async () => {
  const id = await createEvent();
  await database.db.collection(memoryEvent.collection).deleteOne({ _id: new ObjectId(id) });
  const found = await show('memory-event', id);
  expect(found).toMatchObject({ exitCode: 4, search: 'absent', differences: [{ kind: 'ghost' }] });
  expect(found.standing.relationships).toHaveLength(1);
});

it('an aggregate that was never in the graph is missing', async () => {
  const _id = new ObjectId();
  await database.db.collection(memoryEvent.collection).insertOne({ _id, user_id: 'ada', date: '12-10' });
  const found = await show('memory-event', _id.toHexString());
  expect(found).toMatchObject({ exitCode: 4, registry: null, events: [], differences: [{ kind: 'missing' }] });
});

it('exits 1 for an unknown aggregate and says where it searched', async () => {
  const found = await show('memory-event', new ObjectId().toHexString());
  expect(found).toMatchObject({
    exitCode: 1,
    outcome: 'failed',
    reason: expect.stringMatching(/^There is no aggregate .* of memory_events /),
  });
});

it('a type that is not in the catalog is wrong use, and the error names the known types', async () => {
  const command = startOutgraph(['show', 'nonsense', 'a'], settingsOf(database, graph));
  const { exitCode, stderr } = await command.ended;
  expect({ exitCode, stderr }).toStrictEqual({ exitCode: 2, stderr: expect.stringContaining('memory-event') });
});

it('scans for a document of a type with custom ids, unless told not to', async () => {
  const catalog = path.join(folder, 'catalog.mjs');
  const root = path.join(import.meta.dirname, '../../..');
  await writeFile(
    catalog,
    `import { createCatalog } from '${root}/lib/projection/catalog.ts';
import { memoryUser } from '${root}/xmem/aggregates/memory-user.ts';
export const catalog = createCatalog([
  { ...memoryUser, type: 'named', collection: 'named', id: (document) => document.user_id },
]);`,
  );
  await database.db.collection('named').insertOne({ user_id: 'ada' });
  const named = ['show', '--json', 'named', 'ada', '--catalog', catalog];
  // In its own process: here, the modules that the catalog imports would be loaded twice.
  const showNamed = (...args: readonly string[]) =>
    answerOf<Shown>(startOutgraphProcess([...named, ...args], settingsOf(database, graph)));
  expect(await showNamed()).toMatchObject({ search: 'found', differences: [{ kind: 'missing' }] });
  expect(await showNamed('--no-walk')).toMatchObject({ exitCode: 1, outcome: 'failed' });
  // The worker does not know this type, so the event will be dead.
  await outbox().insertOne(upsertEvent({}, { aggregateType: 'named', aggregateId: 'ada' }));
  await settle();
  expect(await showNamed('--no-walk')).toMatchObject({
    exitCode: 4,
    search: 'not-found',
    differences: [{ kind: 'dead' }],
  });
  await outbox().updateMany(
    { aggregateType: 'named' },
    { $set: { status: 'processed', processedAt: new Date() }, $unset: { deadAt: '', error: '' } },
  );
  expect(await showNamed('--no-walk')).toMatchObject({ exitCode: 0, outcome: 'done', search: 'not-found' });
});
