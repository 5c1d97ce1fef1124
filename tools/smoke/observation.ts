/** What a person relies on: the metrics, an alarm that is delivered, and the dead-letter queue. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateStackCommand,
  DeleteStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import { paginateListMetrics, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { projectRoot } from '../local/paths.ts';
import { StackError } from '../local/stack-error.ts';
import { readStackOutputs } from '../local/stack-outputs.ts';
import { type Check, until } from './check.ts';
import { invoke } from './functions.ts';
import { readOutput, type SmokeStage } from './stage.ts';

export const metrics: Check = {
  name: 'Every metric arrives with exactly its dimension',
  phase: 'stage',
  run: checkMetrics,
};
export const alarm: Check = { name: 'An alarm is delivered', phase: 'stage', run: deliverAlarm };
export const deadLetter: Check = {
  name: 'An unreadable message goes to the dead-letter queue, and from there back',
  phase: 'stage',
  run: moveUnreadable,
};

/** CloudWatch may list a new metric only after a quarter of an hour. */
const metricSeconds = 16 * 60;
/** The consumer's batch, and its retries. */
const messageSeconds = 120;

/** The names in the table of docs/reference/metrics.md. A unit test compares it with the code. */
export async function documentedMetrics(): Promise<readonly string[]> {
  const page = await readFile(path.join(projectRoot, 'docs/reference/metrics.md'), 'utf8');
  const table = page.slice(page.indexOf('| CloudWatch |')).split('\n\n')[0] ?? '';
  return table.split('\n').flatMap((row) => {
    const [, names = ''] = row.split('|');
    return [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  });
}

async function checkMetrics(stage: SmokeStage, signal: AbortSignal): Promise<string> {
  // It emits the lags of the last minute.
  await invoke(stage, 'sweep', 'RequestResponse');
  const documented = new Set(await documentedMetrics());
  let missing = [...documented];
  await until(
    async () => {
      const found = await ownMetrics(stage);
      const wrong = [...found].filter(([name, dimensions]) => !documented.has(name) || dimensions !== 1);
      if (wrong.length > 0)
        throw new StackError(
          'Metrics that are not in docs/reference/metrics.md, or have more dimensions: ' +
            `${wrong.map(([name]) => name)}. ` +
            'Another version of outgraph may have run on this stage.',
        );
      missing = [...documented].filter((name) => !found.has(name));
      return missing.length === 0 || undefined;
    },
    {
      seconds: metricSeconds,
      what: 'every metric',
      advice: () =>
        `These did not arrive: ${missing.join(', ')}. docs/reference/metrics.md says which function emits them.`,
    },
    signal,
  );
  return `${documented.size} metrics with service=${stage.name}`;
}

/** The stage's metrics, with the largest number of dimensions that each was emitted with. */
async function ownMetrics({ aws, name }: SmokeStage): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for await (const { Metrics = [] } of paginateListMetrics({ client: aws.cloudwatch }, { Namespace: 'Outgraph' })) {
    for (const { MetricName = '', Dimensions = [] } of Metrics) {
      if (!Dimensions.some(({ Value }) => Value === name)) continue;
      const isOwn = Dimensions.some((one) => one.Name === 'service' && one.Value === name);
      found.set(MetricName, Math.max(found.get(MetricName) ?? 0, isOwn ? Dimensions.length : Number.POSITIVE_INFINITY));
    }
  }
  return found;
}

/** A queue that is subscribed to the topic, in a stack of its own, as a team would have it. */
async function deliverAlarm(stage: SmokeStage, signal: AbortSignal): Promise<string> {
  const { cloudformation: client, cloudwatch } = stage.aws;
  const TopicArn = await readOutput(stage, 'AlarmTopicArn');
  const AlarmName = `${stage.name}-dead-letter-queue-not-empty`;
  const StackName = `${stage.name}-${stage.run}`;
  await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify(subscription(TopicArn)) }));
  try {
    await waitUntilStackCreateComplete({ client, maxWaitTime: 180, minDelay: 1, maxDelay: 3 }, { StackName });
    const queueUrl = (await readStackOutputs(client, StackName))('QueueUrl');
    const StateReason = `Set by the smoke test ${stage.run}`;
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason }));
    await receive(stage, queueUrl, ({ Body = '' }) => Body.includes(AlarmName) && Body.includes(stage.run), signal, {
      what: `the notification of ${AlarmName}`,
      advice: 'Check that the alarm has the topic AlarmTopic as its action, and the policy of the topic and its key.',
    });
  } finally {
    await client.send(new DeleteStackCommand({ StackName }));
    await waitUntilStackDeleteComplete({ client, maxWaitTime: 180, minDelay: 1, maxDelay: 3 }, { StackName });
  }
  return AlarmName;
}

const subscription = (TopicArn: string) => ({
  Resources: {
    Notifications: { Type: 'AWS::SQS::Queue' },
    MaySend: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: 'Notifications' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: {
            Effect: 'Allow',
            Principal: { Service: 'sns.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: { 'Fn::GetAtt': ['Notifications', 'Arn'] },
            Condition: { ArnEquals: { 'aws:SourceArn': TopicArn } },
          },
        },
      },
    },
    Subscription: {
      Type: 'AWS::SNS::Subscription',
      DependsOn: 'MaySend',
      Properties: { TopicArn, Protocol: 'sqs', Endpoint: { 'Fn::GetAtt': ['Notifications', 'Arn'] } },
    },
  },
  Outputs: { QueueUrl: { Value: { Ref: 'Notifications' } } },
});

/** Sends it back by hand, because a move of the whole queue would also move messages of others. */
async function moveUnreadable(stage: SmokeStage, signal: AbortSignal): Promise<string> {
  const queueUrl = await readOutput(stage, 'QueueUrl');
  const deadLetterQueueUrl = await readOutput(stage, 'DeadLetterQueueUrl');
  const body = `unreadable on purpose: ${stage.run}`;
  const send = () => stage.aws.sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));
  const arrive = (turn: string) =>
    receive(stage, deadLetterQueueUrl, ({ Body }) => Body === body, signal, {
      what: `the message to be in the dead-letter queue ${turn}`,
      advice: `Look at the log of ${stage.name}-consumer, and at the alarm consumer-errors.`,
    });
  await send();
  await arrive('at first');
  await send();
  await arrive('again');
  return 'came back once, and is deleted';
}

/** Receives until `isWanted`, and deletes that message only. */
async function receive(
  { aws }: SmokeStage,
  QueueUrl: string,
  isWanted: (message: Message) => boolean,
  signal: AbortSignal,
  texts: { readonly what: string; readonly advice: string },
): Promise<void> {
  const { ReceiptHandle } = await until(
    async () => {
      const request = { QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10, VisibilityTimeout: 5 };
      return (await aws.sqs.send(new ReceiveMessageCommand(request))).Messages?.find(isWanted);
    },
    { seconds: messageSeconds, ...texts },
    signal,
  );
  await aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
}
