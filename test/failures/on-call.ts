/**
 * Whoever is on call: a queue that is subscribed to the deployed topic of alarms, and what it was told. So that nobody
 * waits for minutes, the deployed alarms look every ten seconds at the last ten seconds; that is all that differs from
 * production.
 */
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  type MetricAlarm,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import { service, stage } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { namePrefix, readAlarms, watchedMetric } from '../support/cloudwatch.ts';
import type { FailureStack } from '../support/failure-stack.ts';

type AlarmState = 'ALARM' | 'OK';

/** Something that goes wrong, and how it is put right. */
interface Fault {
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

/** A state that an alarm went into, as the topic told it. */
interface Note {
  readonly alarm: string;
  readonly state: string;
}

const periodSeconds = 10;

/**
 * From a fault, or its end, to its note: the figure, and the looks at the last ten seconds and, as CloudWatch does, at
 * a few periods before them.
 */
const noteSeconds = 120;

export class OnCall {
  readonly alarms: ReadonlyMap<string, MetricAlarm>;
  readonly #cloudwatch: CloudWatchClient;
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #notes: Note[] = [];
  /** The place of the note that each alarm fired. */
  readonly #fired = new Map<string, number>();
  readonly #receiving: Promise<void>;
  #closed = false;

  private constructor(cloudwatch: CloudWatchClient, sqs: SQSClient, queueUrl: string, alarms: OnCall['alarms']) {
    this.#cloudwatch = cloudwatch;
    this.#sqs = sqs;
    this.#queueUrl = queueUrl;
    this.alarms = alarms;
    this.#receiving = this.#receive();
  }

  /** Subscribes, and lets the alarms look often. */
  static async start(stack: FailureStack): Promise<OnCall> {
    const aws = { endpoint: stack.endpointUrl, region: 'us-east-1', credentials: sdkCredentials };
    const cloudwatch = new CloudWatchClient(aws);
    const queueUrl = await subscribe(new CloudFormationClient(aws));
    const alarms = await readAlarms(cloudwatch);
    const onCall = new OnCall(cloudwatch, new SQSClient(aws), queueUrl, alarms);
    for (const alarm of alarms.values()) {
      const often = { ...settable(alarm), Period: periodSeconds, EvaluationPeriods: 1 };
      await cloudwatch.send(new PutMetricAlarmCommand(often));
    }
    return onCall;
  }

  /** Resolves when the last that whoever is on call was told of these alarms is that all is well. */
  async isToldThatAllIsWell(names: readonly string[] = [...this.alarms.keys()]): Promise<void> {
    const last = (name: string) => this.#notes.findLast(({ alarm }) => alarm === name)?.state;
    const well = async () => names.every((name) => last(name) === 'OK') || undefined;
    await waitUntil(well, { timeoutSeconds: noteSeconds, pollMillis: 100, what: `${names.join(', ')} to be OK` });
  }

  /**
   * Resolves when whoever is on call was told that the alarms fired by a fault; then, and also if they do not, the
   * fault is ended.
   */
  async isTold(names: readonly string[], fault: Fault): Promise<void> {
    await this.isToldThatAllIsWell(names);
    const from = this.#notes.length;
    try {
      await fault.begin();
      const places = await this.#untilTold(names, 'ALARM', () => from);
      for (const [index, name] of names.entries()) this.#fired.set(name, places[index] ?? 0);
    } finally {
      await fault.end();
    }
  }

  /** Resolves when whoever is on call was told that every alarm cleared that had fired, and returns their names. */
  async isToldOfTheEnd(): Promise<readonly string[]> {
    const names = [...this.#fired.keys()];
    await this.#untilTold(names, 'OK', (name) => this.#fired.get(name) ?? 0);
    return names;
  }

  /** Puts a figure of AWS in its place that LocalStack does not know: what the alarm watches, as it was deployed. */
  async putFigure(name: string, Value: number): Promise<void> {
    const { namespace, name: MetricName, dimensions } = watchedMetric(this.alarms.get(name) ?? {});
    const Dimensions = dimensions.map((one) => ({ Name: one.name, Value: one.value }));
    await this.#cloudwatch.send(
      new PutMetricDataCommand({ Namespace: namespace, MetricData: [{ MetricName, Dimensions, Value }] }),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#receiving;
    this.#cloudwatch.destroy();
    this.#sqs.destroy();
  }

  /** The places of the notes that say so, each from a place on. */
  #untilTold(names: readonly string[], state: AlarmState, from: (name: string) => number): Promise<readonly number[]> {
    const find = (name: string) =>
      this.#notes.findIndex((note, index) => index >= from(name) && note.alarm === name && note.state === state);
    const told = async () => {
      const places = names.map(find);
      return places.includes(-1) ? undefined : places;
    };
    const what = `${names.join(', ')} to be ${state}`;
    return waitUntil(told, { timeoutSeconds: noteSeconds, pollMillis: 100, what });
  }

  async #receive(): Promise<void> {
    const QueueUrl = this.#queueUrl;
    while (!this.#closed) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { AlarmName, NewStateValue } = JSON.parse(Body) as { AlarmName: string; NewStateValue: string };
        this.#notes.push({ alarm: AlarmName.replace(namePrefix, ''), state: NewStateValue });
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
}

/** What PutMetricAlarm takes of what DescribeAlarms tells. */
function settable(alarm: MetricAlarm) {
  const { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData } = alarm;
  const { Namespace, MetricName, Dimensions, Statistic, ComparisonOperator, Threshold } = alarm;
  const about = { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData };
  return { ...about, Namespace, MetricName, Dimensions, Statistic, ComparisonOperator, Threshold };
}

/** As a team does: a stack of its own, with a subscription to the topic. */
async function subscribe(client: CloudFormationClient): Promise<string> {
  const outputOf = async (StackName: string, key: string) => {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName }));
    const output = Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
    if (output === undefined) throw new Error(`The stack ${StackName} has no output ${key}.`);
    return output;
  };
  const template = {
    Resources: {
      Told: { Type: 'AWS::SQS::Queue' },
      Subscription: {
        Type: 'AWS::SNS::Subscription',
        Properties: {
          TopicArn: await outputOf(`${service}-${stage}`, 'AlarmTopicArn'),
          Protocol: 'sqs',
          Endpoint: { 'Fn::GetAtt': ['Told', 'Arn'] },
          RawMessageDelivery: true,
        },
      },
    },
    Outputs: { QueueUrl: { Value: { Ref: 'Told' } } },
  };
  const StackName = 'on-call';
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 1 }, { StackName });
  const queueUrl = await outputOf(StackName, 'QueueUrl');
  client.destroy();
  return queueUrl;
}
