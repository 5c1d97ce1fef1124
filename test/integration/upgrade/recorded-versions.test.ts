/**
 * Today's code continues from the data of every released version, on a real MongoDB and on a Neo4j
 * that is exactly as that version left it. The steps of a version run in order, as after an
 * upgrade.
 */
import { randomBytes } from 'node:crypto';
import { type Document, MongoClient, type ObjectId } from 'mongodb';
import type { Driver } from 'neo4j-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxCollection } from '../../../lib/contract/outbox-event.ts';
import { checkpointCollection, conflictCollection, trialCollection } from '../../../lib/outbox/collections.ts';
import { canary } from '../../../lib/projection/canary.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { graph } from '../../../lib/projection/graph.ts';
import { readOutboxId } from '../../../lib/set-up/mongodb-identity.ts';
import { checkOutbox, setUpOutbox } from '../../../lib/set-up/mongodb-outbox.ts';
import { checkGraph, setUpGraph } from '../../../lib/set-up/neo4j-graph.ts';
import { memoryEvent } from '../../../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../../../xmem/aggregates/memory-user.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { connectGraph } from '../../support/connect-graph.ts';
import { servers } from '../../support/servers.ts';
import { type OwnNeo4j, takeNeo4j } from '../../support/take-neo4j.ts';
import { testPublisher } from '../../support/test-publisher.ts';
import { messageShapes, readRecorded, recordedVersions } from '../../upgrade/recorded-version.ts';
import { loadCollections, loadRecordedGraph, recordedDocuments } from './load-recorded.ts';
import { Upgraded } from './upgraded.ts';

let neo4j: OwnNeo4j;
let driver: Driver;
let client: MongoClient;
beforeAll(async () => {
  neo4j = await takeNeo4j();
  driver = connectGraph({ neo4jUri: neo4j.uri, neo4jUsername: null, neo4jPassword: null });
  client = new MongoClient(servers.mongodbUri);
});
afterAll(async () => {
  await client?.close();
  await driver?.close();
});

it('there are recorded versions to test', () => {
  expect(recordedVersions()).toContain('0.1.0');
});

describe.each(recordedVersions())('the data of version %s', (version) => {
  const recorded = readRecorded(version);
  const database = `outgraph_upgrade_${randomBytes(4).toString('hex')}`;
  const db = () => client.db(database);
  const outbox = () => db().collection(outboxCollection);
  let upgraded: Upgraded;
  beforeAll(async () => {
    await loadCollections(db(), recorded);
    await loadRecordedGraph(driver, recorded);
    upgraded = new Upgraded({ mongodbUri: servers.mongodbUri, database, neo4jUri: neo4j.uri, db: db(), driver });
  });
  afterAll(async () => {
    await upgraded?.close();
    await db().dropDatabase();
  });

  const idsOf = async (filter: Document) =>
    (await outbox().find(filter).sort({ position: 1 }).toArray()).map(({ _id }) => (_id as ObjectId).toHexString());
  // A canary can be written after the last sweep, so that no message names it.
  const pending = () => idsOf({ status: 'pending', aggregateType: { $ne: canary.type } });

  it("is upgraded by today's set-up, and its graph matches its processed events", async () => {
    await setUpOutbox(db(), { processedRetentionSeconds: 604_800 });
    // Today's built-in types use another key for some labels of 0.1.0. Such a service needs its own
    // catalog, and the error says so.
    const outboxId = await readOutboxId(db());
    await expect(setUpGraph(driver, 'neo4j', catalog, outboxId)).rejects.toMatchObject({
      code: 'set-up-missing',
      message: expect.stringContaining('The label Repository is keyed by id, not by org_id, repo_name'),
    });
    await setUpGraph(driver, 'neo4j', createCatalog([graph, memoryUser, memoryEvent]), outboxId);
    await checkOutbox(db());
    await checkGraph(driver, 'neo4j');
    expect((await upgraded.picture()).nodes.size).toBeGreaterThan(8);
    await upgraded.expectModel();
  });

  it.each(
    recordedDocuments(recorded, checkpointCollection).flatMap(({ _id }) =>
      String(_id).startsWith('publisher/') ? [String(_id)] : [],
    ),
  )('has a checkpoint of another cluster, so the publisher sends all pending events: %s', async (checkpointId) => {
    const checkpoints = db().collection<{ _id: string; fence: number; resumeToken: unknown }>(checkpointCollection);
    const before = await checkpoints.findOne({ _id: checkpointId });
    const publisher = testPublisher({ mongodbUri: servers.mongodbUri, database, checkpointId });
    let remaining = 60_000;
    const report = await publisher.publish(() => {
      remaining -= 2_000;
      return remaining;
    });
    await publisher.close();
    // A token of the recorded cluster is unknown in this one. A time is not lost: this cluster's
    // oplog still has its first entry, so nothing before it is missed.
    const isLost = before?.resumeToken != null;
    expect(publisher.said).toStrictEqual(isLost ? ['history-lost'] : []);
    expect(report).toMatchObject({ outcome: 'handed-over', historyLost: isLost ? 1 : 0 });
    expect(publisher.sent).toStrictEqual(expect.arrayContaining(await pending()));
    expect(await checkpoints.findOne({ _id: checkpointId })).toMatchObject({
      fence: Number(before?.fence) + 1,
      backlog: null,
      resumeToken: { _data: expect.any(String) },
    });
  });

  it('has messages of every shape, whose events are settled or still in conflict', async () => {
    expect(new Set(recorded.messages.map(({ shape }) => shape))).toStrictEqual(new Set(messageShapes));
    const suspects = recordedDocuments(recorded, trialCollection).flatMap(({ eventIds }) => eventIds.map(String));
    const conflicts = await db().collection(conflictCollection).find().toArray();
    expect(conflicts).toHaveLength(1);

    const report = await upgraded.consume(
      recorded.messages.map(({ body }) => body),
      { receiveCount: 2 },
    );
    expect(report).toMatchObject({ unreadable: 0, dead: 0, conflicts: 1 });
    expect(await pending()).toStrictEqual(conflicts.map(({ _id }) => String(_id)));
    // Recorded trials and conflicts still count.
    expect(upgraded.suspected).toStrictEqual(new Map(suspects.map((eventId) => [eventId, { together: 1, alone: 1 }])));
    expect(await db().collection(trialCollection).countDocuments()).toBe(0);
    expect(await db().collection(conflictCollection).findOne()).toMatchObject({
      count: Number(conflicts[0]?.count) + 1,
    });
    await upgraded.expectModel();
  });

  it('has events that are superseded when redelivered', async () => {
    const processed = await idsOf({ status: 'processed' });
    await outbox().updateMany({ status: 'processed' }, { $set: { status: 'pending' }, $unset: { processedAt: '' } });
    const before = await upgraded.picture();
    const report = await upgraded.consumeEvents(processed);
    expect(report).toMatchObject({ applied: 0, superseded: processed.length, dead: 0 });
    expect(await upgraded.picture()).toStrictEqual(before);
  });

  it('has dead events, which are dead again for the same reason after a redrive', async () => {
    const dead = await outbox().find({ status: 'dead' }).sort({ position: 1 }).toArray();
    expect(dead.length).toBeGreaterThan(0);
    await outbox().updateMany({ status: 'dead' }, { $set: { status: 'pending' }, $unset: { deadAt: '', error: '' } });
    expect(await upgraded.consumeEvents(dead.map(({ _id }) => String(_id)))).toMatchObject({ dead: dead.length });
    const again = await outbox().find({ status: 'dead' }).sort({ position: 1 }).toArray();
    expect(again.map(({ error }) => error.code)).toStrictEqual(dead.map(({ error }) => error.code));
  });

  it('has aggregates that can be updated', async () => {
    const written = await upgraded.updateEveryAggregate();
    expect(await upgraded.consumeEvents(written)).toMatchObject({ applied: written.length, dead: 0, conflicts: 0 });
    expect((await upgraded.picture()).relationships.size).toBeGreaterThan(8);
    await upgraded.expectModel();
  });

  it('has aggregates that can be deleted, including the one whose claim waited', async () => {
    const inConflict = await pending();
    const deletions = await upgraded.deleteEveryAggregate();
    expect(await upgraded.consumeEvents([...deletions, ...inConflict])).toMatchObject({ dead: 0, conflicts: 0 });
    await upgraded.expectModel();
    const rest = await upgraded.deleteEveryAggregate();
    await upgraded.consumeEvents(rest);
    expect(await upgraded.picture()).toStrictEqual({ nodes: new Set(), relationships: new Set() });
    expect(await upgraded.countNodes('n:OutgraphAggregate AND n.position IS NOT NULL AND n.deletedAt IS NULL')).toBe(0);
    expect(await upgraded.countNodes('NOT n:OutgraphAggregate')).toBe(0);
    expect(await pending()).toStrictEqual([]);
  });
});
