/**
 * The dashboard of the deployed stack: CloudWatch takes it, and every figure on it is one that a function emits or that
 * AWS emits of something that was deployed. LocalStack's CloudFormation leaves dashboards out, so that the body is
 * taken from the deployed template.
 */
import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, GetDashboardCommand, PutDashboardCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { service, stage } from '../../tools/local/deploy.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { isEmitted, readAlarms, type WatchedMetric } from '../support/cloudwatch.ts';
import { stack } from '../support/stack.ts';
import { closeClients, graphEvent, outbox, untilSettled } from '../support/wait-for.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const cloudwatch = new CloudWatchClient(aws);
const cloudformation = new CloudFormationClient(aws);
// The scheduled sweep may be running: one runs at a time, and this one waits for its turn.
const lambda = new LambdaClient({ ...aws, maxAttempts: 10 });
afterAll(async () => {
  for (const client of [cloudwatch, cloudformation, lambda]) client.destroy();
  await closeClients();
});

/** A widget, as far as it is looked at here. */
interface Widget {
  readonly type: 'text' | 'alarm' | 'metric';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly markdown?: string;
    readonly alarms?: readonly string[];
    readonly metrics?: readonly (readonly (string | { readonly id?: string; readonly expression?: string })[])[];
  };
}

const account = '000000000000';
let body: string;
let widgets: readonly Widget[];
beforeAll(async () => {
  const { TemplateBody = '' } = await cloudformation.send(new GetTemplateCommand({ StackName: `${service}-${stage}` }));
  const { Resources } = JSON.parse(TemplateBody) as {
    Resources: { Dashboard: { Properties: { DashboardBody: { 'Fn::Sub': string } } } };
  };
  const values = { Region: stack.awsRegion, AccountId: account, Partition: 'aws' };
  body = Resources.Dashboard.Properties.DashboardBody['Fn::Sub'].replaceAll(
    /\$\{AWS::(Region|AccountId|Partition)\}/g,
    (_, name: keyof typeof values) => values[name],
  );
  widgets = (JSON.parse(body) as { widgets: readonly Widget[] }).widgets;
});

/** The metrics of the widgets: namespace, name, then names and values of dimensions in turn, and options at the end. */
function metricsOnIt(): readonly WatchedMetric[] {
  const rows = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  return rows.flatMap((row) => {
    const [namespace = '', name = '', ...rest] = row.filter((part) => typeof part === 'string');
    const pairs = rest.flatMap((part, index) =>
      index % 2 === 0 ? [{ name: part, value: rest[index + 1] ?? '' }] : [],
    );
    return namespace === '' ? [] : [{ namespace, name, dimensions: pairs }];
  });
}

it('CloudWatch takes the dashboard, and no widget covers another', async () => {
  expect(body).not.toContain('${');
  const DashboardName = `${service}-${stage}`;
  await cloudwatch.send(new PutDashboardCommand({ DashboardName, DashboardBody: body }));
  const { DashboardBody } = await cloudwatch.send(new GetDashboardCommand({ DashboardName }));
  expect(JSON.parse(DashboardBody ?? '')).toStrictEqual(JSON.parse(body));
  const cells = widgets.flatMap(({ x, y, width, height }) =>
    Array.from({ length: width * height }, (_, cell) => `${x + (cell % width)}/${y + Math.trunc(cell / width)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...widgets.map(({ x, width }) => x + width))).toBe(24);
});

it('the dashboard answers four questions in their order, and shows every alarm', async () => {
  const questions = widgets.flatMap(({ properties }) => /^# (.+\?)\n/.exec(properties.markdown ?? '')?.[1] ?? []);
  expect(questions).toStrictEqual(['Is it in step?', 'How far behind?', 'What is stuck?', 'What does it cost?']);
  const alarms = [...(await readAlarms(cloudwatch)).values()].map(({ AlarmArn }) => AlarmArn);
  const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
  expect(alarms.length).toBeGreaterThan(0);
  expect([...shown].sort()).toStrictEqual(alarms.sort());
});

it('what the dashboard computes comes from metrics that the same widget has', () => {
  const computing = widgets.filter(({ properties }) => JSON.stringify(properties).includes('"expression"'));
  expect(computing).toHaveLength(2);
  for (const { properties } of computing) {
    const options = (properties.metrics ?? []).flatMap((row) => row.filter((part) => typeof part === 'object'));
    const ids = options.flatMap(({ id, expression }) => (expression === undefined ? [id] : []));
    const used = options.flatMap(({ expression = '' }) => expression.match(/\b[a-z]+\b/g) ?? []);
    expect(new Set(used)).toStrictEqual(new Set(ids));
  }
});

it('the figures of AWS on the dashboard are of what was deployed', () => {
  const { publisher, consumer, sweep } = stack.functions;
  const queues = [stack.queueUrl, stack.deadLetterQueueUrl].map((url) => url.split('/').at(-1));
  const deployed = {
    'AWS/Lambda': [publisher, consumer, sweep].map((name) => `FunctionName=${name}`),
    'AWS/SQS': queues.map((name) => `QueueName=${name}`),
  };
  for (const [namespace, resources] of Object.entries(deployed)) {
    const watched = metricsOnIt().filter((metric) => metric.namespace === namespace);
    const named = watched.map(({ dimensions }) => dimensions.map(({ name, value }) => `${name}=${value}`).join());
    expect(new Set(named)).toStrictEqual(new Set(resources));
  }
  expect(new Set(metricsOnIt().map(({ namespace }) => namespace))).toStrictEqual(
    new Set(['Outgraph', ...Object.keys(deployed)]),
  );
});

it('the figures of outgraph on the dashboard are metrics that the functions emit, by namespace, name and dimensions', async () => {
  const event = graphEvent(`dashboard-${Date.now()}`, { nodes: [], relationships: [] });
  await outbox.insertOne(event);
  await untilSettled([event._id]);
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: stack.functions.sweep }));
  expect(FunctionError).toBeUndefined();
  const watched = metricsOnIt().filter(({ namespace }) => namespace === 'Outgraph');
  expect(watched.length).toBeGreaterThan(0);
  const missing = async () => {
    const emitted = await Promise.all(watched.map((metric) => isEmitted(cloudwatch, metric)));
    return watched.filter((_, index) => emitted[index] !== true).map(({ name }) => name);
  };
  // A publisher tells what it did at its end, some seventy seconds after it was invoked.
  await waitUntil(async () => (await missing()).length === 0 || undefined, {
    timeoutSeconds: 180,
    pollMillis: 500,
    what: 'every metric on the dashboard to be emitted',
  });
  expect(await missing()).toStrictEqual([]);
});
