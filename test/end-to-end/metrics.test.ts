/**
 * CloudWatch holds every metric value that functions write to their logs. Alarms and dashboard
 * depend on it.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, expect, it } from 'vitest';
import { service, stage } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { stack } from '../support/stack.ts';
import { closeClients, graphEvent, outbox, untilSettled } from '../support/wait-for.ts';

const cloudwatch = new CloudWatchClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion });
afterAll(async () => {
  cloudwatch.destroy();
  await closeClients();
});

/**
 * The values of a metric in the function's log and in the logs of copies that other tests create:
 * all of them use the same dimension.
 */
async function readLogged(functionName: string, metric: string): Promise<readonly number[]> {
  const files = (await readdir(stack.logsFolder)).filter((name) => name.startsWith(functionName));
  const logs = await Promise.all(files.map((name) => readFile(path.join(stack.logsFolder, name), 'utf8')));
  const lines = logs
    .join('\n')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"_aws"'));
  return lines.map((line) => JSON.parse(line)[metric]).filter((value) => typeof value === 'number');
}

/** The same metric in CloudWatch: number, sum and maximum of its values. */
async function readFromCloudWatch(MetricName: string) {
  const hourMillis = 3_600_000;
  const { Datapoints = [] } = await cloudwatch.send(
    new GetMetricStatisticsCommand({
      Namespace: 'Outgraph',
      MetricName,
      Dimensions: [{ Name: 'service', Value: `${service}-${stage}` }],
      StartTime: new Date(Date.now() - hourMillis),
      EndTime: new Date(Date.now() + hourMillis),
      Period: (2 * hourMillis) / 1_000,
      Statistics: ['SampleCount', 'Sum', 'Maximum'],
    }),
  );
  const [whole] = Datapoints;
  return { count: whole?.SampleCount, sum: whole?.Sum, greatest: whole?.Maximum };
}

it('CloudWatch holds every value that a function logs', async () => {
  const events = Array.from({ length: 5 }, (_, number) =>
    graphEvent(`metrics-${Date.now()}-${number}`, { nodes: [], relationships: [] }),
  );
  await outbox.insertMany(events);
  await untilSettled(events.map(({ _id }) => _id));
  const compare = async () => {
    const kept = await readFromCloudWatch('EventsApplied');
    const logged = await readLogged(stack.functions.consumer, 'EventsApplied');
    const sum = logged.reduce((total, value) => total + value, 0);
    return { kept, logged: { count: logged.length, sum, greatest: Math.max(...logged) } };
  };
  // Other tests run at the same time, so the values are equal only at some moment.
  const same = async () => {
    const { kept, logged } = await compare();
    return JSON.stringify(kept) === JSON.stringify(logged) ? logged : undefined;
  };
  const logged = await waitUntil(same, {
    timeoutSeconds: 120,
    pollMillis: 200,
    what: 'CloudWatch to hold the logged values',
  });
  expect(logged.sum).toBeGreaterThanOrEqual(events.length);
});
