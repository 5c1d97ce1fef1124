/**
 * Sends the worker's metrics as OTLP over HTTP, in JSON. Loaded only if an endpoint is set. All
 * values are cumulative, so an export that failed is not repeated: the next one contains it.
 *
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { resourceOf } from '../runtime/otlp-resource.ts';

/** The default of `OTEL_METRIC_EXPORT_INTERVAL` in OpenTelemetry's SDKs. */
const intervalMillis = 60_000;

const exportMillis = 10_000;

/** Exports in the background. */
export interface MetricExport {
  /** Exports once more, and ends. */
  readonly close: () => Promise<void>;
}

/** @param failed called with the reason of an export that failed after one that did not. */
export function exportMetrics(
  registry: Registry,
  { url, serviceName }: { readonly url: string; readonly serviceName: string },
  failed: (error: unknown) => void,
): MetricExport {
  const startedAt = nanosOf(Date.now());
  const resource = resourceOf(serviceName);
  let hasFailed = false;
  const send = async () => {
    try {
      await resource.waitForAsyncAttributes?.();
      const metrics = (await registry.getMetricsAsJSON()) as readonly Metric[];
      const times = { startTimeUnixNano: startedAt, timeUnixNano: nanosOf(Date.now()) };
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headersFrom(process.env), 'content-type': 'application/json' },
        body: JSON.stringify({
          resourceMetrics: [
            {
              resource: { attributes: attributesOf(resource.attributes) },
              scopeMetrics: [{ scope: { name: 'outgraph' }, metrics: metrics.map((one) => toOtlp(one, times)) }],
            },
          ],
        }),
        signal: AbortSignal.timeout(exportMillis),
      });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`The collector answered with status ${response.status}.`);
      hasFailed = false;
    } catch (error) {
      if (!hasFailed) failed(error);
      hasFailed = true;
    }
  };
  const timer = setInterval(send, intervalMillis);
  return {
    close: () => {
      clearInterval(timer);
      return send();
    },
  };
}

type Metric = MetricObjectWithValues<MetricValue<string> & { readonly metricName?: string }>;

interface Times {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
}

const cumulative = 2;

function toOtlp({ name, help, type, values }: Metric, times: Times): object {
  const about = { name, description: help };
  if (`${type}` === 'histogram')
    return {
      ...about,
      histogram: { aggregationTemporality: cumulative, dataPoints: histogramPoints(name, values, times) },
    };
  const dataPoints = values.map(({ value, labels }) => ({
    ...times,
    attributes: attributesOf(labels),
    asDouble: value,
  }));
  return `${type}` === 'counter'
    ? { ...about, sum: { aggregationTemporality: cumulative, isMonotonic: true, dataPoints } }
    : { ...about, gauge: { dataPoints } };
}

/** Prometheus counts in each bucket what is below its bound; OTLP, what is between two bounds. */
function histogramPoints(name: string, values: Metric['values'], times: Times): readonly object[] {
  const ofSeries = Map.groupBy(values, ({ labels: { le, ...labels } }) => JSON.stringify(labels));
  return [...ofSeries].map(([labels, series]) => {
    const one = (suffix: string) => series.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    const buckets = series.filter(({ metricName }) => metricName === `${name}_bucket`);
    const bucketCounts = buckets.map(({ value }, index) => `${value - (buckets[index - 1]?.value ?? 0)}`);
    const explicitBounds = buckets.map(({ labels: { le } }) => Number(le)).filter(Number.isFinite);
    const attributes = attributesOf(JSON.parse(labels));
    return { ...times, attributes, count: `${one('count')}`, sum: one('sum'), bucketCounts, explicitBounds };
  });
}

function attributesOf(values: Readonly<Record<string, unknown>>): readonly object[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: { stringValue: `${value}` } }));
}

/** Headers for the collector, such as a token: `name=value,name=value`, with encoded values. */
function headersFrom(environment: NodeJS.ProcessEnv): Record<string, string> {
  const text = environment.OTEL_EXPORTER_OTLP_METRICS_HEADERS ?? environment.OTEL_EXPORTER_OTLP_HEADERS ?? '';
  const pairs = text.split(',').map((pair) => pair.split(/=(.*)/s, 2).map((one) => decodeURIComponent(one.trim())));
  return Object.fromEntries(pairs.filter(([name]) => name !== ''));
}

function nanosOf(millis: number): string {
  return `${millis}000000`;
}
