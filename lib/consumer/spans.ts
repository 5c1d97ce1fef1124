/** Joins the consumer's log to spans, where an endpoint for them is set; the SDK is loaded only there. */

import { describeError } from '../contract/fault.ts';
import type { TraceSettings } from '../runtime/settings.ts';
import type { BatchTrace, TracingOptions } from '../runtime/tracing.ts';
import type { ConsumeLog, ConsumeReport } from './ports.ts';

export interface SpanLog {
  /** The collector did not take the spans of a batch; none are made for a while. */
  readonly spansNotDelivered: (reason: string) => void;
}

/** Makes spans of batches. */
export interface BatchSpans {
  /** Runs a batch with a log that makes spans of what it is told. */
  readonly around: (batch: SpannedBatch, run: (log: ConsumeLog) => Promise<ConsumeReport>) => Promise<ConsumeReport>;
  readonly close: () => Promise<void>;
}

export interface SpannedBatch {
  readonly messages: number;
  readonly remainingMillis: () => number;
  readonly log: ConsumeLog & SpanLog;
}

export interface SpanOptions extends Omit<TracingOptions, 'url'> {
  /** Whether spans are sent before a batch ends: a function may be frozen after it. */
  readonly flush: boolean;
}

/** A batch waits no longer than this for its spans to be taken, and leaves itself time for its answer. */
const flushMillis = 1_000;
const answerMillis = 500;

/** Spans for an endpoint, or none where none is set. */
export function joinBatchSpans(settings: TraceSettings, options: SpanOptions): BatchSpans {
  const url = tracesUrl(settings);
  if (url === null) return { around: ({ log }, run) => run(log), close: async () => undefined };
  // Begun now, while the function starts, so that the first batch need not wait for it.
  const opening = import('../runtime/tracing.ts').then(({ Tracing }) => new Tracing({ ...options, url }));
  opening.catch(() => undefined);
  return {
    around: async ({ messages, remainingMillis, log }, run) => {
      const tracing = await opening.catch((error: unknown) => {
        log.spansNotDelivered(describeError(error).reason);
        return null;
      });
      const batch = tracing?.beginBatch(messages) ?? null;
      if (tracing === null || batch === null) return run(log);
      try {
        return await traced(batch, log, run);
      } finally {
        const millis = Math.min(flushMillis, remainingMillis() - answerMillis);
        if (options.flush)
          await tracing.flush(millis).catch((error: unknown) => log.spansNotDelivered(describeError(error).reason));
      }
    },
    close: () =>
      opening.then(
        (tracing) => tracing.close(flushMillis),
        () => undefined,
      ),
  };
}

async function traced(
  batch: BatchTrace,
  log: ConsumeLog,
  run: (log: ConsumeLog) => Promise<ConsumeReport>,
): Promise<ConsumeReport> {
  const eventOutcome: ConsumeLog['eventOutcome'] = (event, outcome) => {
    log.eventOutcome(event, outcome);
    // What was settled before has its span already.
    if (outcome.outcome !== 'settled-before') batch.tell(event, outcome);
  };
  try {
    const report = await run({ ...log, eventOutcome });
    batch.end();
    return report;
  } catch (error) {
    batch.end(describeError(error).code);
    throw error;
  }
}

/**
 * The endpoint for traces as it is, or the path of traces below the endpoint for everything; null where neither is set,
 * or where OpenTelemetry is switched off.
 */
function tracesUrl(settings: TraceSettings): string | null {
  if (settings.OTEL_SDK_DISABLED) return null;
  if (settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT !== '') return settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint === '' ? null : `${endpoint.replace(/\/$/, '')}/v1/traces`;
}
