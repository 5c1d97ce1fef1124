/**
 * A separate bus in LocalStack for one test file, with a rule and a queue like the deployment's,
 * removed at the end.
 */
import { randomBytes } from 'node:crypto';
import {
  CreateEventBusCommand,
  DeleteEventBusCommand,
  DeleteRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { pointerSource } from '../../lib/contract/pointer.ts';
import { connectEventBus } from '../../lib/publisher/event-bus.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { servers } from './servers.ts';

/** LocalStack may take longer than AWS while the machine is busy. */
export const patientMillis = 30_000;

export interface TestBus {
  readonly name: string;
  /** Receives and deletes at least `count` messages. Returns their bodies. */
  readonly receive: (count: number) => Promise<string[]>;
  readonly drop: () => Promise<void>;
}

/** Creates the bus, its rule and its queue. Call `drop` after the tests. */
export async function createTestBus(): Promise<TestBus> {
  const bus = connectEventBus({ endpoint: servers.awsEndpointUrl, requestMillis: patientMillis });
  const sqs = new SQSClient({ endpoint: servers.awsEndpointUrl });
  const name = `test-${randomBytes(6).toString('hex')}`;
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  await bus.send(new CreateEventBusCommand({ Name: name }));
  const rule = { Name: name, EventBusName: name, EventPattern: JSON.stringify({ source: [pointerSource] }) };
  await bus.send(new PutRuleCommand(rule));
  const target = { Id: 'queue', Arn: `arn:aws:sqs:${servers.awsRegion}:000000000000:${name}` };
  await bus.send(new PutTargetsCommand({ Rule: name, EventBusName: name, Targets: [target] }));

  const receiveSome = async () => {
    const answer = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    const messages = answer.Messages ?? [];
    for (const { ReceiptHandle } of messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return messages.map(({ Body }) => Body ?? '');
  };
  return {
    name,
    receive: async (count) => {
      const bodies: string[] = [];
      const enough = async () => bodies.push(...(await receiveSome())) >= count || undefined;
      await waitUntil(enough, { timeoutSeconds: 30, pollMillis: 20, what: `${count} messages in the queue` });
      return bodies;
    },
    drop: async () => {
      await bus.send(new RemoveTargetsCommand({ Rule: name, EventBusName: name, Ids: ['queue'] }));
      await bus.send(new DeleteRuleCommand({ Name: name, EventBusName: name }));
      await bus.send(new DeleteEventBusCommand({ Name: name }));
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      bus.destroy();
      sqs.destroy();
    },
  };
}
