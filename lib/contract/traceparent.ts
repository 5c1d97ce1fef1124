/**
 * The trace context of an event: the trace and span of the writer's change. It often comes from a
 * header of an untrusted request. An invalid one therefore counts as none and is never a fault.
 *
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */

/** The contents of a valid `traceparent`. */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the writer's span. */
  readonly spanId: string;
  /** Whether the writer's trace is recorded. */
  readonly sampled: boolean;
}

/** Later versions may add fields after these four. */
const fields = [
  /(?<version>(?!ff)[0-9a-f]{2})/,
  /(?<traceId>(?!0{32})[0-9a-f]{32})/,
  /(?<spanId>(?!0{16})[0-9a-f]{16})/,
  /(?<flags>[0-9a-f]{2})(?<rest>-.*)?/,
];
const pattern = new RegExp(`^${fields.map((field) => field.source).join('-')}$`);

/**
 * Reads a `traceparent`. Returns null if there is none or it is malformed.
 *
 * @example
 * readTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')?.sampled; // true
 */
export function readTraceparent(traceparent: string | undefined): TraceContext | null {
  const found = traceparent === undefined ? undefined : pattern.exec(traceparent)?.groups;
  if (found === undefined) return null;
  const { version, traceId = '', spanId = '', flags = '', rest } = found;
  if (version === '00' && rest !== undefined) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/**
 * An event as logs and traces show it, never with its payload or aggregate id. Fields that were not
 * read are absent.
 */
export interface TracedEvent {
  readonly eventId: string;
  readonly aggregateType?: string;
  readonly traceparent?: string;
}
