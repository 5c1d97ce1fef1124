/**
 * The content of a running stack's queue: pointers as the deployed bus and rule delivered them, and
 * those that the sweep sends.
 */
import {
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { LambdaClient, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { readPointers } from '../../lib/contract/pointer.ts';
import { readSettings, sweepSettings } from '../../lib/runtime/settings.ts';
import { sendToQueue } from '../../lib/runtime/sqs.ts';
import { joinSweep } from '../../lib/sweep/wiring.ts';
import type { RecordedMessage } from '../../test/upgrade/recorded-version.ts';
import { sdkCredentials } from '../local/credentials.ts';
import type { StackDescription } from '../local/stack.ts';
import { waitUntil } from '../local/wait-until.ts';

/** Queues used only by the recording. */
const copies = 'recorded-from-the-bus';
const swept = 'recorded-from-the-sweep';

const patience = { timeoutSeconds: 120, pollMillis: 200 };

export class RecordedQueues {
  readonly #stack: StackDescription;
  readonly #lambda: LambdaClient;
  readonly #sqs: SQSClient;
  readonly #bus: EventBridgeClient;

  constructor(stack: StackDescription) {
    const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion, credentials: sdkCredentials };
    this.#stack = stack;
    this.#lambda = new LambdaClient(aws);
    this.#sqs = new SQSClient(aws);
    this.#bus = new EventBridgeClient(aws);
  }

  /**
   * Makes the deployed rule deliver every pointer a second time, in the same form, to a queue that
   * only the recording reads.
   */
  async copyPointers(): Promise<void> {
    const EventBusName = this.#stack.eventBusName;
    await this.#queueUrl(copies);
    const { Rules: [rule] = [] } = await this.#bus.send(new ListRulesCommand({ EventBusName }));
    const Rule = rule?.Name ?? '';
    const { Targets: [target] = [] } = await this.#bus.send(new ListTargetsByRuleCommand({ EventBusName, Rule }));
    const copy = { ...target, Id: 'copies', Arn: `${target?.Arn?.slice(0, target.Arn.lastIndexOf(':'))}:${copies}` };
    await this.#bus.send(new PutTargetsCommand({ EventBusName, Rule, Targets: [copy] }));
  }

  /** Disables the deployed consumer, so that messages stay in the queue. */
  async stopConsumer(): Promise<void> {
    const FunctionName = this.#stack.functions.consumer;
    const read = async () =>
      (await this.#lambda.send(new ListEventSourceMappingsCommand({ FunctionName }))).EventSourceMappings?.[0];
    const UUID = (await read())?.UUID;
    await this.#lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    const ask = async () => ((await read())?.State === 'Disabled' ? true : undefined);
    await waitUntil(ask, { ...patience, what: 'the consumer to be disabled' });
  }

  /** The messages of these events, as the bus delivered them. */
  async receivePointers(eventIds: readonly string[]): Promise<readonly RecordedMessage[]> {
    const QueueUrl = await this.#queueUrl(copies);
    const found = new Map<string, RecordedMessage>();
    const ask = async () => {
      for (const body of await this.#receive(QueueUrl)) {
        const reading = readPointers(body);
        for (const eventId of reading.outcome === 'read' ? reading.eventIds : [])
          if (eventIds.includes(eventId)) found.set(eventId, { shape: 'eventbridge', eventId, body });
      }
      return found.size === eventIds.length ? [...found.values()] : undefined;
    };
    return waitUntil(ask, { ...patience, what: 'the pointers in the queue' });
  }

  /** Runs the sweep repeatedly with a separate queue. Returns what was sent. */
  async sweepUntil(done: () => Promise<boolean>): Promise<readonly RecordedMessage[]> {
    const QueueUrl = await this.#queueUrl(swept);
    const { mongodbUri, mongodbDatabase, neo4jUri, neo4jUsername, neo4jPassword } = this.#stack;
    const settings = readSettings(sweepSettings.omit({ QUEUE_URL: true }), {
      MONGODB_URI: mongodbUri,
      MONGODB_DATABASE: mongodbDatabase,
      NEO4J_URI: neo4jUri,
      NEO4J_USERNAME: neo4jUsername ?? '',
      NEO4J_PASSWORD: neo4jPassword ?? '',
      SWEEP_STALE_SECONDS: '1',
    });
    const sweeper = joinSweep(settings, {
      sendToQueue: (packs) => sendToQueue(this.#sqs, QueueUrl, packs),
      pointersPerEntry: 1,
      countBacklog: async () => 0,
      close: () => undefined,
    });
    try {
      const ask = async () => {
        await sweeper.sweep(() => 60_000);
        return (await done()) || undefined;
      };
      await waitUntil(ask, { timeoutSeconds: 120, pollMillis: 1_500, what: 'the sweep to publish everything again' });
    } finally {
      await sweeper.close();
    }
    const messages = new Map<string, RecordedMessage>();
    for (let bodies = await this.#receive(QueueUrl); bodies.length > 0; bodies = await this.#receive(QueueUrl)) {
      for (const body of bodies) {
        const reading = readPointers(body);
        for (const eventId of reading.outcome === 'read' ? reading.eventIds : [])
          messages.set(eventId, { shape: 'sweep', eventId, body });
      }
    }
    return [...messages.values()];
  }

  close(): void {
    this.#lambda.destroy();
    this.#sqs.destroy();
    this.#bus.destroy();
  }

  /** The URL of a queue, which is created if it does not exist. */
  async #queueUrl(QueueName: string): Promise<string> {
    return (await this.#sqs.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  }

  async #receive(QueueUrl: string): Promise<readonly string[]> {
    const { Messages = [] } = await this.#sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    for (const { ReceiptHandle } of Messages)
      await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages.map(({ Body = '' }) => Body);
  }
}
