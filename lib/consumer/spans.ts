/**
 * Adds spans to the consumer's log if an OTLP endpoint is set. It loads the OpenTelemetry SDK only
 * then.
 */

import { describeError } from '../contract/fault.ts';
import { otlpUrl } from '../runtime/otlp.ts';
import type { TraceSettings } from '../runtime/settings.ts';
import type { BatchTrace, TracingOptions } from '../runtime/tracing.ts';
import type { ConsumeLog, ConsumeReport } from './ports.ts';

export interface SpanLog {
  /** The collector did not accept the spans of a batch; spans pause for a while. */
  readonly spansNotDelivered: (reason: string) => void;
}

/** Creates spans of batches. */
export interface BatchSpans {
  /** Runs a batch with a log that also creates a span for each reported outcome. */
  readonly trace: (batch: SpannedBatch, run: (log: ConsumeLog) => Promise<ConsumeReport>) => Promise<ConsumeReport>;
  readonly close: () => Promise<void>;
}

export interface SpannedBatch {
  readonly messages: number;
  readonly remainingMillis: () => number;
  readonly log: ConsumeLog & SpanLog;
}

export interface SpanOptions extends Omit<TracingOptions, 'url'> {
  /**
   * Whether to send spans before a batch ends, because a Lambda function may be frozen afterwards.
   */
  readonly flush: boolean;
}

/** A batch waits at most this long for the collector, and keeps some time for its own response. */
const flushMillis = 1_000;
const responseMillis = 500;

/** Creates spans for the configured endpoint, or none without one. */
export function joinBatchSpans(settings: TraceSettings, options: SpanOptions): BatchSpans {
  const url = otlpUrl(settings, settings.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, 'v1/traces');
  if (url === null) return { trace: ({ log }, run) => run(log), close: async () => undefined };
  // Loaded while the function starts, so that the first batch does not wait for it.
  const opening = import('../runtime/tracing.ts').then(({ Tracing }) => new Tracing({ ...options, url }));
  opening.catch(() => undefined);
  return {
    trace: async ({ messages, remainingMillis, log }, run) => {
      const tracing = await opening.catch((error: unknown) => {
        log.spansNotDelivered(describeError(error).reason);
        return null;
      });
      const batch = tracing?.beginBatch(messages) ?? null;
      if (tracing === null || batch === null) return run(log);
      try {
        return await runTraced(batch, log, run);
      } finally {
        const millis = Math.min(flushMillis, remainingMillis() - responseMillis);
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

async function runTraced(
  batch: BatchTrace,
  log: ConsumeLog,
  run: (log: ConsumeLog) => Promise<ConsumeReport>,
): Promise<ConsumeReport> {
  const eventOutcome: ConsumeLog['eventOutcome'] = (event, outcome) => {
    log.eventOutcome(event, outcome);
    // An event that was settled earlier already has its span.
    if (outcome.outcome !== 'settled-before') batch.addEvent(event, outcome);
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
