/**
 * What was deployed for whoever is on call, and which metrics there really are: the functions' come from their logs,
 * the queues' and Lambda's from AWS.
 */
import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  type Dimension,
  ListMetricsCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { service, stage } from '../../tools/local/deploy.ts';

/** What the names of the stack's alarms, and of all that is deployed with it, begin with. */
export const namePrefix = `${service}-${stage}-`;

/** A metric as an alarm or a dashboard names it. */
export interface WatchedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly { readonly name: string; readonly value: string }[];
}

/** The deployed alarms, by what is special in their names. */
export async function readAlarms(cloudwatch: CloudWatchClient): Promise<ReadonlyMap<string, MetricAlarm>> {
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: namePrefix }));
  return new Map(MetricAlarms.map((alarm) => [alarm.AlarmName?.replace(namePrefix, '') ?? '', alarm]));
}

/** What an alarm watches. */
export function watchedMetric({ Namespace = '', MetricName = '', Dimensions = [] }: MetricAlarm): WatchedMetric {
  return { namespace: Namespace, name: MetricName, dimensions: Dimensions.map(toDimension) };
}

/** Whether somebody has ever emitted the metric, with exactly these dimensions. */
export async function isEmitted(cloudwatch: CloudWatchClient, metric: WatchedMetric): Promise<boolean> {
  const { Metrics = [] } = await cloudwatch.send(
    new ListMetricsCommand({ Namespace: metric.namespace, MetricName: metric.name }),
  );
  const wanted = dimensionText(metric.dimensions);
  return Metrics.some(({ Dimensions = [] }) => dimensionText(Dimensions.map(toDimension)) === wanted);
}

function toDimension({ Name = '', Value = '' }: Dimension): WatchedMetric['dimensions'][number] {
  return { name: Name, value: Value };
}

function dimensionText(dimensions: WatchedMetric['dimensions']): string {
  const pairs = dimensions.map(({ name, value }) => `${name}=${value}`);
  return pairs.sort().join(',');
}
