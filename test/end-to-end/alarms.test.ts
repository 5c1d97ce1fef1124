/**
 * The alarms of the deployed stack, and that the functions emit every metric they watch. The
 * failure tests check that each alarm fires and clears.
 */
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { service, stage } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { isEmitted, readAlarms, watchedMetric } from '../support/cloudwatch.ts';
import { stack } from '../support/stack.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const cloudwatch = new CloudWatchClient(aws);
const cloudformation = new CloudFormationClient(aws);
// The scheduled sweep may be running. Only one runs at a time, so this one waits.
const lambda = new LambdaClient({ ...aws, maxAttempts: 10 });

let alarms: ReadonlyMap<string, MetricAlarm>;
beforeAll(async () => {
  alarms = await readAlarms(cloudwatch);
});
afterAll(() => {
  for (const client of [cloudwatch, cloudformation, lambda]) client.destroy();
});

const queueName = (url: string) => [{ Name: 'QueueName', Value: url.split('/').at(-1) }];
const functionName = (name: string) => [{ Name: 'FunctionName', Value: name }];

it('every alarm notifies the topic, says what to look at first, and links its run book section', async () => {
  const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: `${service}-${stage}` }));
  const topic = Stacks?.[0]?.Outputs?.find((output) => output.OutputKey === 'AlarmTopicArn')?.OutputValue;
  expect(topic).toMatch(/^arn:aws:sns:/);
  expect([...alarms.keys()].sort()).toStrictEqual([
    'canary-lag',
    'consumer-errors',
    'consumer-throttles',
    'dead-letter-queue-not-empty',
    'delivery-failed',
    'events-dead',
    'events-republished',
    'history-lost',
    'oldest-pending-age',
    'publisher-silence',
    'queue-age',
    'sweep-errors',
    'sweep-silent',
  ]);
  for (const [name, { AlarmActions, OKActions, AlarmDescription }] of alarms) {
    expect(AlarmActions).toStrictEqual([topic]);
    expect(OKActions).toStrictEqual([topic]);
    expect(AlarmDescription).toMatch(new RegExp(`Look first at .+ Run book: docs/runbook\\.md#${name}$`));
    expect(AlarmDescription?.length).toBeLessThanOrEqual(1024);
  }
});

it('the alarms on AWS metrics watch the deployed resources', () => {
  const watched = [...alarms]
    .filter(([, { Namespace }]) => Namespace?.startsWith('AWS/'))
    .map(([name, { Namespace, MetricName, Dimensions }]) => [name, Namespace, MetricName, Dimensions] as const);
  expect(new Set(watched)).toStrictEqual(
    new Set([
      [
        'dead-letter-queue-not-empty',
        'AWS/SQS',
        'ApproximateNumberOfMessagesVisible',
        queueName(stack.deadLetterQueueUrl),
      ],
      [
        'delivery-failed',
        'AWS/Events',
        'FailedInvocations',
        [
          { Name: 'EventBusName', Value: `${service}-${stage}` },
          { Name: 'RuleName', Value: `${service}-${stage}-pointers` },
        ],
      ],
      ['queue-age', 'AWS/SQS', 'ApproximateAgeOfOldestMessage', queueName(stack.queueUrl)],
      ['consumer-errors', 'AWS/Lambda', 'Errors', functionName(stack.functions.consumer)],
      ['consumer-throttles', 'AWS/Lambda', 'Throttles', functionName(stack.functions.consumer)],
      ['sweep-errors', 'AWS/Lambda', 'Errors', functionName(stack.functions.sweep)],
    ]),
  );
});

it('the alarms on outgraph metrics watch the namespace, name and dimensions that functions emit', async () => {
  const watched = [...alarms.values()].filter((alarm) => alarm.Namespace === 'Outgraph').map(watchedMetric);
  expect(watched).toHaveLength(7);
  // The sweep reports the lag from its second run on.
  for (const _ of [1, 2]) {
    const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: stack.functions.sweep }));
    expect(FunctionError).toBeUndefined();
  }
  const missing = async () => {
    const emitted = await Promise.all(watched.map((metric) => isEmitted(cloudwatch, metric)));
    return watched.filter((_, index) => emitted[index] !== true);
  };
  // A publisher emits its metrics at its end, about 70 seconds after the invocation.
  await waitUntil(async () => (await missing()).length === 0 || undefined, {
    timeoutSeconds: 180,
    pollMillis: 500,
    what: 'every metric that an alarm watches to be emitted',
  });
  expect(await missing()).toStrictEqual([]);
});
