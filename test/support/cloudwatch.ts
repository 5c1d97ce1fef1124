/**
 * The deployed alarms, and the metrics that are really emitted: those of functions come from their
 * logs, those of queues and Lambda from AWS.
 */
import {
  type CloudWatchClient,
  DescribeAlarmsCommand,
  type Dimension,
  ListMetricsCommand,
  type MetricAlarm,
} from '@aws-sdk/client-cloudwatch';
import { service, stage } from '../../tools/local/deploy.ts';

/** The prefix of the names of the stack's alarms and of everything deployed with it. */
export const namePrefix = `${service}-${stage}-`;

/** A metric as an alarm or a dashboard refers to it. */
export interface WatchedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: readonly { readonly name: string; readonly value: string }[];
}

/** The deployed alarms, by their names without the prefix. */
export async function readAlarms(cloudwatch: CloudWatchClient): Promise<ReadonlyMap<string, MetricAlarm>> {
  const { MetricAlarms = [] } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: namePrefix }));
  return new Map(MetricAlarms.map((alarm) => [alarm.AlarmName?.replace(namePrefix, '') ?? '', alarm]));
}

/** The metric that an alarm watches. */
export function watchedMetric({ Namespace = '', MetricName = '', Dimensions = [] }: MetricAlarm): WatchedMetric {
  return { namespace: Namespace, name: MetricName, dimensions: Dimensions.map(toDimension) };
}

/** Whether the metric was ever emitted, with exactly these dimensions. */
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
