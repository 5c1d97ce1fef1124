/** What functions write to their logs as metrics is in CloudWatch, value by value: alarms and dashboard stand on it. */
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
 * The values of a metric in the function's log, and in those of functions that other tests make of it: all have the
 * same dimension.
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

/** The same as CloudWatch has them: how many, their sum, and the greatest. */
async function readKept(MetricName: string) {
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
  const [all] = Datapoints;
  return { count: all?.SampleCount, sum: all?.Sum, greatest: all?.Maximum };
}

it('CloudWatch has every value that a function logs', async () => {
  const events = Array.from({ length: 5 }, (_, number) =>
    graphEvent(`metrics-${Date.now()}-${number}`, { nodes: [], relationships: [] }),
  );
  await outbox.insertMany(events);
  await untilSettled(events.map(({ _id }) => _id));
  const compare = async () => {
    const kept = await readKept('EventsApplied');
    const logged = await readLogged(stack.functions.consumer, 'EventsApplied');
    const sum = logged.reduce((total, value) => total + value, 0);
    return { kept, logged: { count: logged.length, sum, greatest: Math.max(...logged) } };
  };
  // Other tests go on meanwhile: equal at some moment.
  const same = async () => {
    const { kept, logged } = await compare();
    return JSON.stringify(kept) === JSON.stringify(logged) ? logged : undefined;
  };
  const logged = await waitUntil(same, {
    timeoutSeconds: 120,
    pollMillis: 200,
    what: 'CloudWatch to have what was logged',
  });
  expect(logged.sum).toBeGreaterThanOrEqual(events.length);
});
