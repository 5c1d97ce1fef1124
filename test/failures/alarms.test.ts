/**
 * Each alarm fires by the fault that it is for, and clears when that is over; whoever is on call is told both. On the
 * deployed functions, servers that are really killed, and LocalStack's evaluation of the alarms, which knows all their
 * statistics, comparisons and treatments of missing data. It does not emit two figures of AWS, the age of a queue's
 * oldest message and a function's throttles: there, the test makes the fault, and puts the figure that AWS would emit.
 * Where a fault would have to last for minutes, its time in MongoDB is set back.
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

/** The sweep waits for a server nearly as long as this, and tells what it knows only then. */
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
  sweeping = sweepAllTheTime();
});
afterAll(async () => {
  await sweeping?.stop();
  await onCall?.close();
  bus?.destroy();
  await stack?.stop();
});

/** Its schedule runs it once a minute; what it tells is needed in each ten seconds. */
function sweepAllTheTime(): { readonly stop: () => Promise<void> } {
  let stopped = false;
  const running = (async () => {
    while (!stopped) {
      // Refused while the scheduled one runs, and when a test forbids it.
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

/** MongoDB refuses it for the outbox, as it does a token that it has forgotten. */
async function tokenOfAnotherCollection(): Promise<ResumeToken> {
  const elsewhere = stack.db.collection('elsewhere');
  const stream = elsewhere.watch();
  await stream.tryNext();
  await elsewhere.insertOne({});
  const { _id } = (await stream.next()) as { _id: ResumeToken };
  await stream.close();
  return _id;
}

/** The rule and target by which pointers come from the bus to the queue. */
async function readWayToQueue() {
  const { queueUrl, eventBusName: EventBusName } = stack.deployment;
  const { Rules = [] } = await bus.send(new ListRulesCommand({ EventBusName }));
  for (const { Name: Rule } of Rules) {
    const { Targets = [] } = await bus.send(new ListTargetsByRuleCommand({ EventBusName, Rule }));
    const target = Targets.find(({ Arn }) => Arn?.split(':').at(-1) === queueUrl.split('/').at(-1));
    if (target !== undefined) return { EventBusName, Rule, target };
  }
  return expect.fail('no rule of the bus leads to the queue');
}

/** Those that do not disturb each other, side by side. */
describe('whoever is on call is told of', () => {
  it('all being well, at first', () => onCall.isToldThatAllIsWell());

  describe('what is not run:', () => {
    it.concurrent('sweep-silent, when Lambda does not run the sweep', () =>
      onCall.isTold(['sweep-silent'], {
        begin: () => stack.functions.allowConcurrent('sweep', 0),
        end: () => stack.functions.allowConcurrent('sweep', 1),
      }));

    it.concurrent('consumer-throttles and queue-age, when Lambda does not run the consumer', () =>
      onCall.isTold(['consumer-throttles', 'queue-age'], {
        begin: async () => {
          await stack.functions.allowConcurrent('consumer', 0);
          await stack.outbox.insertOne(upsertEvent({ nodes: [], relationships: [] }));
          await until('a message to wait', async () => (await stack.countMessages('queue')) > 0);
          // What AWS would say after eleven minutes of it.
          await onCall.putFigure('consumer-throttles', 1);
          await onCall.putFigure('queue-age', 660);
        },
        end: () => stack.functions.allowConcurrent('consumer', 4),
      }));

    it.concurrent('history-lost, when MongoDB no longer knows the resume token', () =>
      onCall.isTold(['history-lost'], {
        begin: async () => {
          const giveLease = await holdLease(stack);
          const resumeToken = await tokenOfAnotherCollection();
          await checkpoints().updateOne({ _id: publisherCheckpoint }, { $set: { resumeToken } });
          await giveLease();
        },
        end: async () => undefined,
      }));
  });

  describe('what is stuck:', () => {
    it.concurrent('events-dead, for an event that can never be applied', () => {
      const event = upsertEvent({ nodes: 'none' });
      const settle = { $set: { status: 'processed', processedAt: new Date() }, $unset: { deadAt: '', error: '' } };
      return onCall.isTold(['events-dead'], {
        begin: () => stack.outbox.insertOne(event),
        end: () => stack.outbox.updateOne({ _id: event._id }, settle),
      });
    });

    it.concurrent('oldest-pending-age, for an event that has been pending for long', async () => {
      const workload = new Workload(stack);
      await workload.insert(1);
      await workload.untilSettled();
      const [id] = await workload.eventIds();
      const _id = new ObjectId(id);
      // As if its acknowledgement had got lost twenty minutes ago, with an hour to wait for its next attempt.
      const position = new Timestamp({ t: Math.trunc(minutesAgo(20).getTime() / 1_000), i: 1 });
      const waiting = { status: 'pending', position, nextAttemptAt: minutesAgo(-60), attempts: 5 };
      await onCall.isTold(['oldest-pending-age'], {
        begin: () => stack.outbox.updateOne({ _id }, { $set: waiting, $unset: { processedAt: '' } }),
        end: () => stack.outbox.updateOne({ _id }, { $set: { nextAttemptAt: new Date() } }),
      });
    });

    it.concurrent('dead-letter-queue-not-empty, for a message that nobody can read', () => {
      const message = { QueueUrl: stack.deployment.queueUrl, MessageBody: 'not a pointer' };
      return onCall.isTold(['dead-letter-queue-not-empty'], {
        begin: () => stack.sqs.send(new SendMessageCommand(message)),
        end: () => stack.receiveDeadLetters(),
      });
    });

    it.concurrent('events-republished, when the bus misses the queue and only the sweep delivers events', async () => {
      const { target, ...rule } = await readWayToQueue();
      await onCall.isTold(['events-republished'], {
        begin: () => bus.send(new RemoveTargetsCommand({ ...rule, Ids: [target.Id ?? ''] })),
        end: () => bus.send(new PutTargetsCommand({ ...rule, Targets: [target] })),
      });
    });
  });

  describe('what is away:', () => {
    it.concurrent('consumer-errors, sweep-errors and canary-lag, when Neo4j is away', () =>
      onCall.isTold(['consumer-errors', 'sweep-errors', 'canary-lag'], {
        begin: async () => {
          await stack.neo4j.server.kill();
          await stack.outbox.insertOne(upsertEvent({ nodes: [], relationships: [] }));
          await writeCanary(stack.outbox, stack.db.collection<CanaryNote>(checkpointCollection), new Date());
          // As if it had been away for six minutes.
          const backdate = { $set: { createdAt: minutesAgo(6) } };
          await stack.outbox.updateMany({ ...canaryAggregate, status: 'pending' }, backdate);
        },
        end: () => stack.neo4j.server.start(),
      }));

    it.concurrent('publisher-silence, when the publisher was killed and nobody follows it', () =>
      onCall.isTold(['publisher-silence'], {
        begin: async () => {
          await stack.functions.allowConcurrent('publisher', 0);
          await stack.functions.kill('publisher');
          // As if that had been four minutes ago.
          await checkpoints().updateOne({ _id: publisherCheckpoint }, { $set: { updatedAt: minutesAgo(4) } });
        },
        end: async () => {
          await stack.functions.allowConcurrent('publisher', 2);
          await stack.functions.start('publisher');
        },
      }));
  });

  it('the end of each fault, and so of every alarm', async () => {
    expect([...(await onCall.isToldOfTheEnd())].sort()).toStrictEqual([...onCall.alarms.keys()].sort());
  });
});
