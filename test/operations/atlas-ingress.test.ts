/**
 * A deployed stage with an Atlas Trigger as its ingress. There is no publisher, and what the
 * trigger puts on its partner event bus reaches the graph. If the trigger is suspended, the sweep
 * publishes the events, and the alarm counts them. The trigger is simulated with a change stream,
 * and its envelope with MongoDB's examples.
 */
import { randomBytes } from 'node:crypto';
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  DeleteFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { type AtlasEnvelope, atlasDetails, atlasEnvelope, triggerSource } from '../support/atlas-envelope.ts';
import { atlasTrigger, triggerPipeline } from '../support/atlas-trigger.ts';
import { shareOutboxId } from '../support/outbox-id.ts';
import { stack } from '../support/stack.ts';
import { closeClients, graphEvent, mongodb, query, untilSettled } from '../support/wait-for.ts';
import { atlasMessages } from '../upgrade/atlas-messages.ts';
import { type AtlasStage, atlasStage, deployAtlasStage } from './atlas-stage.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const bus = new EventBridgeClient(aws);
const cloudwatch = new CloudWatchClient(aws);
// The scheduled sweep may be running. Only one runs at a time, so this one waits.
const lambda = new LambdaClient({ ...aws, maxAttempts: 10 });

const db = mongodb.db(`outgraph_atlas_${randomBytes(6).toString('hex')}`);
const outbox = db.collection(outboxCollection);
const prefix = `outgraph-${atlasStage}-`;
const sweep = { FunctionName: `${prefix}sweep` };

let deployed: AtlasStage;
beforeAll(async () => {
  await shareOutboxId(db);
  deployed = await deployAtlasStage(db.databaseName);
});
afterAll(async () => {
  await deployed?.remove();
  await db.dropDatabase();
  for (const client of [bus, cloudwatch, lambda]) client.destroy();
  await closeClients();
});

const newEvents = (count: number) =>
  Array.from({ length: count }, () => {
    const id = new ObjectId().toHexString();
    return graphEvent(id, { nodes: [{ label: 'E2eFile', key: { id } }], relationships: [] });
  });

/** The ids of the events whose nodes are in the graph. */
async function inGraph(events: readonly Document[]): Promise<readonly unknown[]> {
  const ids = events.map(({ aggregateId }) => aggregateId);
  return (await query('MATCH (n:E2eFile) WHERE n.id IN $ids RETURN n.id AS id', { ids })).map(({ id }) => id).sort();
}

/** Puts envelopes on the bus, as Atlas does with PutPartnerEvents. */
async function putOnBus(envelopes: readonly AtlasEnvelope[]): Promise<void> {
  const Entries = envelopes.map((envelope) => ({
    EventBusName: deployed.eventBusName,
    Source: envelope.source,
    DetailType: envelope['detail-type'],
    Resources: [...envelope.resources],
    Time: new Date(envelope.time),
    Detail: JSON.stringify(envelope.detail),
  }));
  expect(await bus.send(new PutEventsCommand({ Entries }))).toMatchObject({ FailedEntryCount: 0 });
}

/** Inserts the events. Returns the changes that the trigger gets. */
async function insertUnderTrigger(events: readonly Document[]): Promise<readonly Document[]> {
  const stream = outbox.watch(triggerPipeline(atlasTrigger), { maxAwaitTimeMS: 100 });
  await stream.tryNext();
  await outbox.insertMany([...events]);
  const changes: Document[] = [];
  while (changes.length < events.length) changes.push(await stream.next());
  await stream.close();
  return changes;
}

it('neither a publisher nor its alarms are deployed, and the partner event bus feeds the queue', async () => {
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({}));
  const functions = Functions.flatMap(({ FunctionName = '' }) => (FunctionName.startsWith(prefix) ? FunctionName : []));
  expect(functions.sort()).toStrictEqual(['consumer', 'setUp', 'sweep'].map((name) => `${prefix}${name}`));
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: prefix }));
  const alarms = MetricAlarms.map(({ AlarmName }) => AlarmName);
  expect(alarms).toContain(`${prefix}events-republished`);
  expect(alarms.filter((name) => /publisher|history/.test(name ?? ''))).toStrictEqual([]);

  expect(deployed.eventBusName).toBe(triggerSource);
  const { Rules = [] } = await bus.send(new ListRulesCommand({ EventBusName: triggerSource }));
  const targets = await Promise.all(
    Rules.filter(({ ManagedBy }) => ManagedBy === undefined).map(({ Name }) =>
      bus.send(new ListTargetsByRuleCommand({ EventBusName: triggerSource, Rule: Name })),
    ),
  );
  const arns = targets.flatMap(({ Targets = [] }) => Targets.map(({ Arn }) => Arn));
  expect(arns).toStrictEqual([expect.stringMatching(`:${prefix}pointers$`)]);
});

it('events from the trigger are applied, projected or whole, plain or in Extended JSON', async () => {
  // Without a sweep, events can only arrive from the bus.
  await lambda.send(new PutFunctionConcurrencyCommand({ ...sweep, ReservedConcurrentExecutions: 0 }));
  const events = newEvents(4);
  const changes = await insertUnderTrigger(events);
  const [first, second, third, fourth] = await outbox.find({}).sort({ position: 1 }).toArray();
  const whole = (event: Document | undefined) =>
    atlasMessages(db.databaseName, event ?? {}).map(({ body }) => JSON.parse(body) as AtlasEnvelope);
  const projected = (event: Document | undefined) => {
    const change = changes.find(({ fullDocument }) => event?._id.equals(fullDocument._id)) ?? {};
    return atlasDetails(change).map((detail) => atlasEnvelope(db.databaseName, detail, new Date()));
  };
  const envelopes = [whole(first)[0], whole(second)[1], projected(third)[0], projected(fourth)[1]];
  await putOnBus(envelopes.flatMap((envelope) => envelope ?? []));

  const settled = await untilSettled(
    events.map(({ _id }) => _id),
    outbox,
  );
  expect(settled.map(({ status }) => status)).toStrictEqual(events.map(() => 'processed'));
  expect(await inGraph(events)).toStrictEqual(events.map(({ aggregateId }) => aggregateId).sort());
});

it('while the trigger is suspended, the sweep publishes events, and the alarm counts them', async () => {
  await lambda.send(new DeleteFunctionConcurrencyCommand(sweep));
  const events = newEvents(3);
  await outbox.insertMany(events);
  // A processed canary: only the sweep can have published it.
  const canary = { ...canaryAggregate, status: 'processed', nextAttemptAt: { $exists: true } };
  await waitUntil(
    async () => {
      expect((await lambda.send(new InvokeCommand(sweep))).FunctionError).toBeUndefined();
      const pending = await outbox.countDocuments({ _id: { $in: events.map(({ _id }) => _id) }, status: 'pending' });
      return (pending === 0 && (await outbox.countDocuments(canary)) > 0) || undefined;
    },
    { timeoutSeconds: 120, pollMillis: 1_000, what: 'the sweep to publish the events and a canary' },
  );
  expect(await inGraph(events)).toStrictEqual(events.map(({ aggregateId }) => aggregateId).sort());

  const { MetricAlarms: [alarm] = [] } = await cloudwatch.send(
    new DescribeAlarmsCommand({ AlarmNames: [`${prefix}events-republished`] }),
  );
  expect(alarm?.AlarmDescription).toContain('Atlas Trigger');
  const hourMillis = 3_600_000;
  const counted = async () => {
    const { Datapoints = [] } = await cloudwatch.send(
      new GetMetricStatisticsCommand({
        Namespace: alarm?.Namespace,
        MetricName: alarm?.MetricName,
        Dimensions: alarm?.Dimensions,
        Statistics: alarm?.Statistic === undefined ? [] : [alarm.Statistic],
        StartTime: new Date(Date.now() - hourMillis),
        EndTime: new Date(Date.now() + hourMillis),
        Period: (2 * hourMillis) / 1_000,
      }),
    );
    const sum = Datapoints[0]?.Sum ?? 0;
    return sum > events.length ? sum : undefined;
  };
  const what = 'the metric of the alarm to count the events and the canary';
  expect(await waitUntil(counted, { timeoutSeconds: 60, pollMillis: 500, what })).toBeGreaterThan(events.length);
});
