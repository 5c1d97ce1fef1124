/**
 * The notifications that on-call gets: a queue that is subscribed to the deployed alarm topic.
 * There is only one difference to production: the alarms evaluate the last ten seconds, every ten
 * seconds, so that tests do not wait for minutes.
 */
import { CloudFormationClient, CreateStackCommand, waitUntilStackCreateComplete } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  type MetricAlarm,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { sdkCredentials } from '../../tools/local/credentials.ts';
import { service, stage } from '../../tools/local/deploy.ts';
import { readStackOutputs } from '../../tools/local/stack-outputs.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { namePrefix, readAlarms, watchedMetric } from '../support/cloudwatch.ts';
import type { FailureStack } from '../support/failure-stack.ts';

type AlarmState = 'ALARM' | 'OK';

/** Causes a fault, and ends it. */
interface Fault {
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

/** A state change of an alarm, as the topic reported it. */
interface Notification {
  readonly alarm: string;
  readonly state: string;
}

const periodSeconds = 10;

/**
 * The time limit from a fault, or its end, to the notification. It includes the time until the
 * metric is emitted. Like CloudWatch, LocalStack also evaluates a few periods before the last ten
 * seconds.
 */
const notificationSeconds = 120;

export class OnCall {
  readonly alarms: ReadonlyMap<string, MetricAlarm>;
  readonly #cloudwatch: CloudWatchClient;
  readonly #sqs: SQSClient;
  readonly #queueUrl: string;
  readonly #notifications: Notification[] = [];
  /** For each alarm, the index of the notification that it fired. */
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

  /** Subscribes, and shortens the period of the alarms. */
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

  /** Resolves when the last notification of each of these alarms is OK. */
  async untilOk(names: readonly string[] = [...this.alarms.keys()]): Promise<void> {
    const last = (name: string) => this.#notifications.findLast(({ alarm }) => alarm === name)?.state;
    const areOk = async () => names.every((name) => last(name) === 'OK') || undefined;
    await waitUntil(areOk, {
      timeoutSeconds: notificationSeconds,
      pollMillis: 100,
      what: `${names.join(', ')} to be OK`,
    });
  }

  /**
   * Causes a fault, and resolves when there is a notification that each of the alarms fired. Ends
   * the fault in any case.
   */
  async untilFired(names: readonly string[], fault: Fault): Promise<void> {
    await this.untilOk(names);
    const from = this.#notifications.length;
    try {
      await fault.begin();
      const indexes = await this.#untilNotified(names, 'ALARM', () => from);
      for (const [index, name] of names.entries()) this.#fired.set(name, indexes[index] ?? 0);
    } finally {
      await fault.end();
    }
  }

  /** Resolves when every alarm that fired has cleared, and returns their names. */
  async untilCleared(): Promise<readonly string[]> {
    const names = [...this.#fired.keys()];
    await this.#untilNotified(names, 'OK', (name) => this.#fired.get(name) ?? 0);
    return names;
  }

  /** Puts a value of the metric that a deployed alarm watches, if LocalStack does not emit it. */
  async putMetric(name: string, Value: number): Promise<void> {
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

  /** For each alarm, the index of the first notification of the state from an index on. */
  #untilNotified(
    names: readonly string[],
    state: AlarmState,
    from: (name: string) => number,
  ): Promise<readonly number[]> {
    const find = (name: string) =>
      this.#notifications.findIndex((one, index) => index >= from(name) && one.alarm === name && one.state === state);
    const findAll = async () => {
      const indexes = names.map(find);
      return indexes.includes(-1) ? undefined : indexes;
    };
    const what = `${names.join(', ')} to be ${state}`;
    return waitUntil(findAll, { timeoutSeconds: notificationSeconds, pollMillis: 100, what });
  }

  async #receive(): Promise<void> {
    const QueueUrl = this.#queueUrl;
    while (!this.#closed) {
      const { Messages = [] } = await this.#sqs.send(
        new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = '', ReceiptHandle } of Messages) {
        const { AlarmName, NewStateValue } = JSON.parse(Body) as { AlarmName: string; NewStateValue: string };
        this.#notifications.push({ alarm: AlarmName.replace(namePrefix, ''), state: NewStateValue });
        await this.#sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
    }
  }
}

/** The fields from DescribeAlarms that PutMetricAlarm accepts. */
function settable(alarm: MetricAlarm) {
  const { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData } = alarm;
  const { Namespace, MetricName, Dimensions, Statistic, ComparisonOperator, Threshold } = alarm;
  const about = { AlarmName, AlarmDescription, AlarmActions, OKActions, TreatMissingData };
  return { ...about, Namespace, MetricName, Dimensions, Statistic, ComparisonOperator, Threshold };
}

/** Deploys a separate stack with a subscription to the topic, as a team does. */
async function subscribe(client: CloudFormationClient): Promise<string> {
  const deployed = await readStackOutputs(client, `${service}-${stage}`);
  const template = {
    Resources: {
      Notifications: { Type: 'AWS::SQS::Queue' },
      Subscription: {
        Type: 'AWS::SNS::Subscription',
        Properties: {
          TopicArn: deployed('AlarmTopicArn'),
          Protocol: 'sqs',
          Endpoint: { 'Fn::GetAtt': ['Notifications', 'Arn'] },
          RawMessageDelivery: true,
        },
      },
    },
    Outputs: { QueueUrl: { Value: { Ref: 'Notifications' } } },
  };
  const StackName = 'on-call';
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(template) }));
  await waitUntilStackCreateComplete({ client, maxWaitTime: 60, minDelay: 1 }, { StackName });
  const queueUrl = (await readStackOutputs(client, StackName))('QueueUrl');
  client.destroy();
  return queueUrl;
}
