/**
 * The dashboard of the deployed stack: CloudWatch accepts it, and every metric on it is emitted by
 * a function or by AWS for a deployed resource. LocalStack's CloudFormation ignores dashboards, so
 * the body comes from the deployed template.
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
// The scheduled sweep may be running. Only one runs at a time, so this one waits.
const lambda = new LambdaClient({ ...aws, maxAttempts: 10 });
afterAll(async () => {
  for (const client of [cloudwatch, cloudformation, lambda]) client.destroy();
  await closeClients();
});

/** The fields of a widget that this file reads. */
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

/**
 * The metrics of the widgets. A row holds namespace and name, then the names and values of
 * dimensions in turn, then options.
 */
function dashboardMetrics(): readonly WatchedMetric[] {
  const rows = widgets.flatMap(({ properties }) => properties.metrics ?? []);
  return rows.flatMap((row) => {
    const [namespace = '', name = '', ...rest] = row.filter((part) => typeof part === 'string');
    const pairs = rest.flatMap((part, index) =>
      index % 2 === 0 ? [{ name: part, value: rest[index + 1] ?? '' }] : [],
    );
    return namespace === '' ? [] : [{ namespace, name, dimensions: pairs }];
  });
}

it('CloudWatch accepts the dashboard, and no widget overlaps another', async () => {
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

it('the dashboard answers four questions in order and shows every alarm', async () => {
  const questions = widgets.flatMap(({ properties }) => /^# (.+\?)\n/.exec(properties.markdown ?? '')?.[1] ?? []);
  expect(questions).toStrictEqual(['Is it in step?', 'How far behind?', 'What is stuck?', 'What does it cost?']);
  const alarms = [...(await readAlarms(cloudwatch)).values()].map(({ AlarmArn }) => AlarmArn);
  const shown = widgets.flatMap(({ properties }) => properties.alarms ?? []);
  expect(alarms.length).toBeGreaterThan(0);
  expect([...shown].sort()).toStrictEqual(alarms.sort());
});

it('expressions on the dashboard use only metrics of the same widget', () => {
  const computing = widgets.filter(({ properties }) => JSON.stringify(properties).includes('"expression"'));
  expect(computing).toHaveLength(2);
  for (const { properties } of computing) {
    const options = (properties.metrics ?? []).flatMap((row) => row.filter((part) => typeof part === 'object'));
    const ids = options.flatMap(({ id, expression }) => (expression === undefined ? [id] : []));
    const used = options.flatMap(({ expression = '' }) => expression.match(/\b[a-z]+\b/g) ?? []);
    expect(new Set(used)).toStrictEqual(new Set(ids));
  }
});

it('the AWS metrics on the dashboard are those of deployed resources', () => {
  const { publisher, consumer, sweep } = stack.functions;
  const queues = [stack.queueUrl, stack.deadLetterQueueUrl].map((url) => url.split('/').at(-1));
  const deployed = {
    'AWS/Lambda': [publisher, consumer, sweep].map((name) => `FunctionName=${name}`),
    'AWS/SQS': queues.map((name) => `QueueName=${name}`),
  };
  for (const [namespace, resources] of Object.entries(deployed)) {
    const watched = dashboardMetrics().filter((metric) => metric.namespace === namespace);
    const named = watched.map(({ dimensions }) => dimensions.map(({ name, value }) => `${name}=${value}`).join());
    expect(new Set(named)).toStrictEqual(new Set(resources));
  }
  expect(new Set(dashboardMetrics().map(({ namespace }) => namespace))).toStrictEqual(
    new Set(['Outgraph', ...Object.keys(deployed)]),
  );
});

it('the functions emit every outgraph metric on the dashboard, with the same dimensions', async () => {
  const event = graphEvent(`dashboard-${Date.now()}`, { nodes: [], relationships: [] });
  await outbox.insertOne(event);
  await untilSettled([event._id]);
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: stack.functions.sweep }));
  expect(FunctionError).toBeUndefined();
  const watched = dashboardMetrics().filter(({ namespace }) => namespace === 'Outgraph');
  expect(watched.length).toBeGreaterThan(0);
  const missing = async () => {
    const emitted = await Promise.all(watched.map((metric) => isEmitted(cloudwatch, metric)));
    return watched.filter((_, index) => emitted[index] !== true).map(({ name }) => name);
  };
  // A publisher emits its metrics at its end, about 70 seconds after the invocation.
  await waitUntil(async () => (await missing()).length === 0 || undefined, {
    timeoutSeconds: 180,
    pollMillis: 500,
    what: 'every metric on the dashboard to be emitted',
  });
  expect(await missing()).toStrictEqual([]);
});
