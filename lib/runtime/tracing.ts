/**
 * The spans of the consumer, sent as OTLP over HTTP. Loaded only where an endpoint is set. A collector that is away
 * costs a batch one bounded wait, and then nothing for a while; no batch ever fails of it.
 */
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import { readTraceparent, type TracedEvent } from '../contract/traceparent.ts';

export interface TracingOptions {
  /** Where the spans go, with its path: mostly `…/v1/traces`. */
  readonly url: string;
  /** The resource's `service.name`, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` say otherwise. */
  readonly serviceName: string;
  /** `messaging.system` and `messaging.destination.name`: where the batches come from. */
  readonly queue: { readonly system: string; readonly name: string };
}

/** What became of an event, and the code of what went wrong, if something did. */
export interface TracedOutcome {
  readonly outcome: string;
  readonly code?: string;
}

/** After spans that nobody took, none are made for so long: a collector that is away must not slow every batch. */
const restMillis = 30_000;

/**
 * Spans of several batches wait for a collector; more of them are dropped. All of a full batch of the queue go in one
 * request.
 */
const maxExportBatchSize = 2_048;
const maxQueueSize = 4 * maxExportBatchSize;

/** Without a flush, in the worker, spans go out this often. */
const scheduledDelayMillis = 1_000;

/** One attempt of the exporter, with its retries. */
const exportMillis = 1_000;

/**
 * A trace id that begins with its time in seconds, as X-Ray's own: the collector's exporter for X-Ray needs that.
 *
 * https://pkg.go.dev/github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter
 */
function withTime(traceId: string, millis: number): string {
  return Math.floor(millis / 1000)
    .toString(16)
    .padStart(8, '0')
    .concat(traceId.slice(8));
}

/** The spans' way out; `now` is milliseconds since the epoch. */
export class Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #queue: TracingOptions['queue'];
  readonly #now: () => number;
  #restUntil = 0;

  constructor({ url, serviceName, queue }: TracingOptions, now: () => number = Date.now) {
    this.#now = now;
    const ids = new RandomIdGenerator();
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: exportMillis });
    this.#provider = new TracerProvider({
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': serviceName }))
        .merge(detectResources({ detectors: [envDetector] })),
      idGenerator: {
        generateTraceId: () => withTime(ids.generateTraceId(), this.#now()),
        generateSpanId: () => ids.generateSpanId(),
      },
      spanProcessors: [new BatchSpanProcessor({ exporter, maxExportBatchSize, maxQueueSize, scheduledDelayMillis })],
    });
    this.#tracer = this.#provider.getTracer('outgraph');
    this.#queue = queue;
  }

  /** Begins the trace of a batch; null while nobody takes spans. */
  beginBatch(messages: number): BatchTrace | null {
    return this.#now() < this.#restUntil ? null : new BatchTrace(this.#tracer, this.#queue, messages, this.#now);
  }

  /**
   * Sends what there is.
   *
   * @throws what kept it from being sent, within `millis`; then no spans are made for half a minute.
   */
  async flush(millis: number): Promise<void> {
    try {
      await this.#provider.forceFlush({ timeoutMillis: millis });
    } catch (errors) {
      this.#restUntil = this.#now() + restMillis;
      throw Array.isArray(errors) ? errors[0] : errors;
    }
  }

  /** Sends what there is, as well as it can in so much time, and no more after it. */
  async close(millis: number): Promise<void> {
    await this.flush(millis).catch(() => undefined);
    // Its own flush has nothing left to send.
    await this.#provider.shutdown().catch(() => undefined);
  }
}

/**
 * The spans of one batch, by the semantic conventions for messaging: one for each event whose trace is recorded, in the
 * writer's trace, and one for the batch, which they link to; none for a batch without such events.
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

  /** What became of an event: its span goes from the begin of the batch until now. */
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

  /** @param code the fault that ended the batch, if one did. */
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
