/**
 * Each alarm fires on its fault and clears when the fault ends, and on-call is notified of both.
 * The test runs on deployed functions and kills real servers. LocalStack evaluates the alarms; it
 * supports all their statistics, comparisons and treatments of missing data.
 *
 * LocalStack does not emit three AWS metrics: the age of a queue's oldest message, a function's
 * throttles, and failed deliveries of the bus. For these, the test puts the value that AWS would
 * emit. If a fault would have to last for minutes, the test backdates it in MongoDB.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { ObjectId, Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import type { Checkpoint, ResumeToken } from '../../lib/publisher/mongodb-lease.ts';
import { type CanaryNote, writeCanary } from '../../lib/sweep/mongodb-canaries.ts';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import { FailureStack } from '../support/failure-stack.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { Workload } from '../support/workload.ts';
import { OnCall } from './on-call.ts';
import { holdLease, publisherCheckpoint } from './rows/hold-lease.ts';
import { until } from './rows/row.ts';

/** The sweep waits for a server for almost this long, and emits its metrics only afterwards. */
const sweepSeconds = 12;

let stack: FailureStack;
let bus: EventBridgeClient;
let onCall: OnCall;
let sweeping: { readonly stop: () => Promise<void> };
beforeAll(async () => {
  stack = await FailureStack.start('alarms');
  bus = new EventBridgeClient({ endpoint: stack.endpointUrl, region: 'us-east-1', credentials: sdkCredentials });
  await stack.functions.configure('sweep', { timeoutSeconds: sweepSeconds });
  onCall = await OnCall.start(stack);
  sweeping = sweepContinuously();
});
afterAll(async () => {
  await sweeping?.stop();
  await onCall?.close();
  bus?.destroy();
  await stack?.stop();
});

/** The schedule runs it once a minute, but the alarms need its metrics every ten seconds. */
function sweepContinuously(): { readonly stop: () => Promise<void> } {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      // Throttled while the scheduled sweep runs, and while a test allows no sweep.
      await stack.functions.run('sweep').catch(() => undefined);
      await sleep(1_000);
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

const checkpoints = () => stack.db.collection<Checkpoint>(checkpointCollection);

/** For the outbox, MongoDB rejects it like a token that is no longer in the oplog. */
async function tokenOfAnotherCollection(): Promise<ResumeToken> {
  const elsewhere = stack.db.collection('elsewhere');
  const stream = elsewhere.watch();
  await stream.tryNext();
  await elsewhere.insertOne({});
  const { _id } = (await stream.next()) as { _id: ResumeToken };
  await stream.close();
  return _id;
}

/** The rule and target that route pointers from the bus to the queue. */
async function readQueueTarget() {
  const { queueUrl, eventBusName: EventBusName } = stack.deployment;
  const { Rules = [] } = await bus.send(new ListRulesCommand({ EventBusName }));
  for (const { Name: Rule } of Rules) {
    const { Targets = [] } = await bus.send(new ListTargetsByRuleCommand({ EventBusName, Rule }));
    const target = Targets.find(({ Arn }) => Arn?.split(':').at(-1) === queueUrl.split('/').at(-1));
    if (target !== undefined) return { EventBusName, Rule, target };
  }
  return expect.fail('no rule of the bus targets the queue');
}

/** Faults that do not affect each other run concurrently. */
describe('on-call is notified', () => {
  it('that every alarm is OK at first', () => onCall.untilOk());

  describe('that something does not run:', () => {
    it.concurrent('sweep-silent, when Lambda does not run the sweep', () =>
      onCall.untilFired(['sweep-silent'], {
        begin: () => stack.functions.allowConcurrent('sweep', 0),
        end: () => stack.functions.allowConcurrent('sweep', 1),
      }));

    it.concurrent('delivery-failed, when the bus cannot deliver to the queue', () =>
      onCall.untilFired(['delivery-failed'], {
        begin: () => onCall.putMetric('delivery-failed', 1),
        end: () => onCall.putMetric('delivery-failed', 0),
      }));

    it.concurrent('consumer-throttles and queue-age, when Lambda does not run the consumer', () =>
      onCall.untilFired(['consumer-throttles', 'queue-age'], {
        begin: async () => {
          await stack.functions.allowConcurrent('consumer', 0);
          await stack.outbox.insertOne(upsertEvent({ nodes: [], relationships: [] }));
          await until('a message to wait', async () => (await stack.countMessages('queue')) > 0);
          // The values that AWS would emit after eleven minutes.
          await onCall.putMetric('consumer-throttles', 1);
          await onCall.putMetric('queue-age', 660);
        },
        end: () => stack.functions.allowConcurrent('consumer', 4),
      }));

    it.concurrent('history-lost, when MongoDB no longer knows the resume token', () =>
      onCall.untilFired(['history-lost'], {
        begin: async () => {
          const giveLease = await holdLease(stack);
          const resumeToken = await tokenOfAnotherCollection();
          await checkpoints().updateOne({ _id: publisherCheckpoint }, { $set: { resumeToken } });
          await giveLease();
        },
        end: async () => undefined,
      }));
  });

  describe('that something is stuck:', () => {
    it.concurrent('events-dead, for an event that can never be applied', () => {
      const event = upsertEvent({ nodes: 'none' });
      const settle = { $set: { status: 'processed', processedAt: new Date() }, $unset: { deadAt: '', error: '' } };
      return onCall.untilFired(['events-dead'], {
        begin: () => stack.outbox.insertOne(event),
        end: () => stack.outbox.updateOne({ _id: event._id }, settle),
      });
    });

    it.concurrent('oldest-pending-age, for an event that has been pending for twenty minutes', async () => {
      const workload = new Workload(stack);
      await workload.insert(1);
      await workload.untilSettled();
      const [id] = await workload.eventIds();
      const _id = new ObjectId(id);
      // As if its acknowledgement was lost twenty minutes ago, and its next attempt is in an hour.
      const position = new Timestamp({ t: Math.trunc(minutesAgo(20).getTime() / 1_000), i: 1 });
      const waiting = { status: 'pending', position, nextAttemptAt: minutesAgo(-60), attempts: 5 };
      await onCall.untilFired(['oldest-pending-age'], {
        begin: () => stack.outbox.updateOne({ _id }, { $set: waiting, $unset: { processedAt: '' } }),
        end: () => stack.outbox.updateOne({ _id }, { $set: { nextAttemptAt: new Date() } }),
      });
    });

    it.concurrent('dead-letter-queue-not-empty, for an unreadable message', () => {
      const message = { QueueUrl: stack.deployment.queueUrl, MessageBody: 'not a pointer' };
      return onCall.untilFired(['dead-letter-queue-not-empty'], {
        begin: () => stack.sqs.send(new SendMessageCommand(message)),
        end: () => stack.receiveDeadLetters(),
      });
    });

    it.concurrent('events-republished, when the bus misses the queue and only the sweep delivers events', async () => {
      const { target, ...rule } = await readQueueTarget();
      await onCall.untilFired(['events-republished'], {
        begin: () => bus.send(new RemoveTargetsCommand({ ...rule, Ids: [target.Id ?? ''] })),
        end: () => bus.send(new PutTargetsCommand({ ...rule, Targets: [target] })),
      });
    });
  });

  describe('that something is unavailable:', () => {
    it.concurrent('consumer-errors, sweep-errors and canary-lag, when Neo4j is unavailable', () =>
      onCall.untilFired(['consumer-errors', 'sweep-errors', 'canary-lag'], {
        begin: async () => {
          await stack.neo4j.server.kill();
          await stack.outbox.insertOne(upsertEvent({ nodes: [], relationships: [] }));
          await writeCanary(stack.outbox, stack.db.collection<CanaryNote>(checkpointCollection), new Date());
          // As if Neo4j had been unavailable for six minutes.
          const backdate = { $set: { createdAt: minutesAgo(6) } };
          await stack.outbox.updateMany({ ...canaryAggregate, status: 'pending' }, backdate);
        },
        end: () => stack.neo4j.server.start(),
      }));

    it.concurrent('publisher-silence, when the publisher was killed and no other takes over', () =>
      onCall.untilFired(['publisher-silence'], {
        begin: async () => {
          await stack.functions.allowConcurrent('publisher', 0);
          await stack.functions.kill('publisher');
          // As if it had been killed four minutes ago.
          await checkpoints().updateOne({ _id: publisherCheckpoint }, { $set: { updatedAt: minutesAgo(4) } });
        },
        end: async () => {
          await stack.functions.allowConcurrent('publisher', 2);
          await stack.functions.start('publisher');
        },
      }));
  });

  it('that every alarm cleared', async () => {
    expect([...(await onCall.untilCleared())].sort()).toStrictEqual([...onCall.alarms.keys()].sort());
  });
});
