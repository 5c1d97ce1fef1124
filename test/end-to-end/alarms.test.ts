/** On the deployed stack: the alarms that must wake somebody, and that what they watch is really emitted. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stage } from '../../infra/local/deploy.ts';
import { waitUntil } from '../../infra/local/wait-until.ts';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { aggregateKey } from '../../lib/contract/outbox-event.ts';
import { toPosition } from '../../lib/contract/position.ts';
import type { CanaryNote } from '../../lib/mongodb/canaries.ts';
import { checkpointCollection } from '../../lib/mongodb/set-up-outbox.ts';
import type { SweepReport } from '../../lib/sweep/sweep.ts';
import { stack } from '../stack.ts';
import { closeClients, db, query, untilSettled } from './wait-for.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const cloudwatch = new CloudWatchClient(aws);
const cloudformation = new CloudFormationClient(aws);
// The scheduled sweep may be running: one runs at a time, and this one waits for its turn.
const lambda = new LambdaClient({ ...aws, maxAttempts: 10 });

let alarms: readonly MetricAlarm[];
beforeAll(async () => {
  const answer = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: `outgraph-${stage}-` }));
  alarms = answer.MetricAlarms ?? [];
});
afterAll(async () => {
  for (const client of [cloudwatch, cloudformation, lambda]) client.destroy();
  await closeClients();
});

async function runSweep(): Promise<SweepReport> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: stack.functions.sweep }));
  expect(answer.FunctionError).toBeUndefined();
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as SweepReport;
}

/** A metric as CloudWatch takes it out of a log line: namespace, name, and the values of its dimensions. */
interface EmittedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, unknown>>;
}

interface MetricLine extends Readonly<Record<string, unknown>> {
  readonly _aws?: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string }[];
    }[];
  };
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
async function readEmittedMetrics(functionName: string): Promise<readonly EmittedMetric[]> {
  const log = await readFile(path.join(stack.logsFolder, `${functionName}.log`), 'utf8').catch(() => '');
  const lines = log.split('\n').filter((line) => line.startsWith('{') && line.includes('"_aws"'));
  return lines.flatMap((text) => {
    const line = JSON.parse(text) as MetricLine;
    return (line._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) =>
      Metrics.filter(({ Name }) => typeof line[Name] === 'number').flatMap(({ Name }) =>
        Dimensions.map((names) => ({
          namespace: Namespace,
          name: Name,
          dimensions: Object.fromEntries(names.map((name) => [name, line[name]])),
        })),
      ),
    );
  });
}

describe('the alarms', () => {
  it('are there, go to the topic, and say what to look at first', async () => {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: `outgraph-${stage}` }));
    const topic = Stacks?.[0]?.Outputs?.find((output) => output.OutputKey === 'AlarmTopicArn')?.OutputValue;
    expect(topic).toMatch(/^arn:aws:sns:/);
    expect(alarms.map((alarm) => alarm.AlarmName?.replace(`outgraph-${stage}-`, '')).sort()).toStrictEqual([
      'canary-lag',
      'dead-letter-queue-not-empty',
      'events-dead',
      'history-lost',
      'oldest-pending-age',
      'publisher-silence',
      'sweep-silent',
    ]);
    for (const { AlarmActions, AlarmDescription } of alarms) {
      expect(AlarmActions).toStrictEqual([topic]);
      expect(AlarmDescription).toContain('Look first at');
    }
  });

  it('watch the queue that dead letters go to', () => {
    const watched = alarms.find((alarm) => alarm.Namespace === 'AWS/SQS');
    expect(watched).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: stack.deadLetterQueueUrl.split('/').at(-1) }],
    });
  });

  it('fire when the sweep is silent, and not where there is no publisher', () => {
    const missing = new Map(alarms.map((alarm) => [alarm.MetricName, alarm.TreatMissingData]));
    expect(missing.get('SweepRuns')).toBe('breaching');
    expect(missing.get('PublisherSilence')).toBe('notBreaching');
  });

  it('watch metrics that the functions emit, by namespace, name and dimensions', async () => {
    const watched = alarms.filter((alarm) => alarm.Namespace === 'Outgraph');
    expect(watched).toHaveLength(6);
    // Lag is told from the second run on.
    await runSweep();
    await runSweep();
    const missing = async () => {
      const emitted = (await Promise.all(Object.values(stack.functions).map(readEmittedMetrics))).flat();
      return watched.filter(({ MetricName, Dimensions = [] }) => {
        const dimensions = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value]));
        return !emitted.some(
          (metric) =>
            metric.namespace === 'Outgraph' &&
            metric.name === MetricName &&
            JSON.stringify(metric.dimensions) === JSON.stringify(dimensions),
        );
      });
    };
    // A publisher tells what it did at its end, some seventy seconds after it was invoked.
    await waitUntil(async () => (await missing()).length === 0 || undefined, {
      timeoutSeconds: 180,
      pollMillis: 500,
      what: 'every metric that an alarm watches to be emitted',
    });
    expect(await missing()).toStrictEqual([]);
  });
});

it('a canary takes the whole way, and leaves nothing in the graph but its registry node', async () => {
  await runSweep();
  const note = await db.collection<CanaryNote>(checkpointCollection).findOne({ _id: 'canary' });
  const [event] = await untilSettled([note?.eventId ?? expect.fail('no canary was noted')]);
  expect(event).toMatchObject({ ...canaryAggregate, status: 'processed' });
  const [node] = await query(
    'MATCH (a:OutgraphAggregate {key: $key}) RETURN a.position AS position, COUNT { (a)--() } AS relationships',
    { key: aggregateKey(canaryAggregate) },
  );
  expect(node?.relationships).toBe(0n);
  expect(node?.position >= toPosition(event?.position)).toBe(true);
  const { canaryLagMillis } = await runSweep();
  expect(canaryLagMillis).toBeGreaterThanOrEqual(0);
});
