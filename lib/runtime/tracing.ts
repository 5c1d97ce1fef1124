/**
 * The consumer's spans, sent as OTLP over HTTP. Loaded only if an endpoint is set. An unavailable
 * collector costs one batch a bounded wait, and the next batches nothing for a while. It never
 * fails a batch.
 */
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { readTraceparent, type TracedEvent } from '../contract/traceparent.ts';
import { resourceOf } from './otlp-resource.ts';

export interface TracingOptions {
  /** URL for the spans, including the path: usually `…/v1/traces`. */
  readonly url: string;
  /** The default `service.name`; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` override it. */
  readonly serviceName: string;
  /** `messaging.system` and `messaging.destination.name`: the source of the batches. */
  readonly queue: { readonly system: string; readonly name: string };
}

/** An event's outcome, and the code of its fault, if there is one. */
export interface TracedOutcome {
  readonly outcome: string;
  readonly code?: string;
}

/** Pause after a failed export, so that an unavailable collector does not slow every batch. */
const pauseMillis = 30_000;

/**
 * Spans of several batches may wait for a collector; any more are dropped. One request takes a full
 * batch.
 */
const maxExportBatchSize = 2_048;
const maxQueueSize = 4 * maxExportBatchSize;

/** Export interval without a flush, in the worker. */
const scheduledDelayMillis = 1_000;

/** Time limit of an export, including its retries. */
const exportMillis = 1_000;

/**
 * A trace id that begins with its time in seconds, like X-Ray's own: the collector's exporter to
 * X-Ray requires it.
 *
 * https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter
 */
function timedTraceId(traceId: string, millis: number): string {
  return Math.floor(millis / 1000)
    .toString(16)
    .padStart(8, '0')
    .concat(traceId.slice(8));
}

/** Creates and exports spans; `now` returns milliseconds since the epoch. */
export class Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #queue: TracingOptions['queue'];
  readonly #now: () => number;
  #pausedUntil = 0;

  constructor({ url, serviceName, queue }: TracingOptions, now: () => number = Date.now) {
    this.#now = now;
    const ids = new RandomIdGenerator();
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportMillis });
    this.#provider = new TracerProvider({
      resource: resourceOf(serviceName),
      idGenerator: {
        generateTraceId: () => timedTraceId(ids.generateTraceId(), this.#now()),
        generateSpanId: () => ids.generateSpanId(),
      },
      spanProcessors: [new BatchSpanProcessor({ exporter, maxExportBatchSize, maxQueueSize, scheduledDelayMillis })],
    });
    this.#tracer = this.#provider.getTracer('outgraph');
    this.#queue = queue;
  }

  /** Starts the trace of a batch; null while exports are paused. */
  beginBatch(messages: number): BatchTrace | null {
    return this.#now() < this.#pausedUntil ? null : new BatchTrace(this.#tracer, this.#queue, messages, this.#now);
  }

  /**
   * Exports all spans.
   *
   * @throws the error of an export that failed or took longer than `millis`. Spans then pause for
   * half a minute.
   */
  async flush(millis: number): Promise<void> {
    try {
      await this.#provider.forceFlush({ timeoutMillis: millis });
    } catch (errors) {
      this.#pausedUntil = this.#now() + pauseMillis;
      throw Array.isArray(errors) ? errors[0] : errors;
    }
  }

  /** Exports as many spans as possible within `millis`, and none afterwards. */
  async close(millis: number): Promise<void> {
    await this.flush(millis).catch(() => undefined);
    // Its own flush has nothing left to export.
    await this.#provider.shutdown().catch(() => undefined);
  }
}

/**
 * The spans of one batch, by the semantic conventions for messaging: one for each event with a
 * sampled trace, in the writer's trace, and one for the batch, which the others link to. A batch
 * without such events has no spans.
 *
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export class BatchTrace {
  readonly #tracer: Tracer;
  readonly #queue: TracingOptions['queue'];
  readonly #messages: number;
  readonly #now: () => number;
  readonly #startTime: number;
  readonly #counts: Record<string, number> = {};
  #span: Span | undefined;

  constructor(tracer: Tracer, queue: TracingOptions['queue'], messages: number, now: () => number) {
    this.#tracer = tracer;
    this.#queue = queue;
    this.#messages = messages;
    this.#now = now;
    this.#startTime = now();
  }

  /** Adds an event's outcome. Its span lasts from the start of the batch until now. */
  addEvent(event: TracedEvent, { outcome, code }: TracedOutcome): void {
    const count = `outgraph.events.${outcome}`;
    this.#counts[count] = (this.#counts[count] ?? 0) + 1;
    const parent = readTraceparent(event.traceparent);
    if (parent === null || !parent.sampled) return;
    this.#span ??= this.#startSpan({ 'messaging.batch.message_count': this.#messages });
    const attributes = {
      'outgraph.event_id': event.eventId,
      ...(event.aggregateType === undefined ? {} : { 'outgraph.aggregate_type': event.aggregateType }),
      'outgraph.outcome': outcome,
    };
    const { traceId, spanId } = parent;
    const writer = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
    this.#endSpan(this.#startSpan(attributes, { links: [this.#span], writer }), code);
  }

  /** @param code the code of the fault that ended the batch, if there is one. */
  end(code?: string): void {
    this.#span?.setAttributes(this.#counts);
    if (this.#span !== undefined) this.#endSpan(this.#span, code);
  }

  #startSpan(
    attributes: Readonly<Record<string, string | number>>,
    event?: { readonly links: readonly Span[]; readonly writer: Parameters<typeof trace.setSpanContext>[1] },
  ): Span {
    const parent = event === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, event.writer);
    const options = {
      kind: SpanKind.CONSUMER,
      startTime: this.#startTime,
      links: (event?.links ?? []).map((span) => ({ context: span.spanContext() })),
      attributes: {
        'messaging.system': this.#queue.system,
        'messaging.destination.name': this.#queue.name,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        ...attributes,
      },
    };
    return this.#tracer.startSpan(`process ${this.#queue.name}`, options, parent);
  }

  #endSpan(span: Span, code: string | undefined): void {
    if (code !== undefined) span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR });
    span.end(this.#now());
  }
}
