/**
 * The trace context of a writer's events, from the OpenTelemetry API. Without a registered SDK, the
 * API's calls do nothing.
 */
import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { readTraceparent } from '../contract/traceparent.ts';

/**
 * Returns the given trace context, or that of the active span; undefined if there is neither. A
 * malformed one is ignored, because it often comes from a request's header and must not abort the
 * writer's transaction.
 */
export function activeTraceparent(given: string | undefined): string | undefined {
  if (readTraceparent(given) !== null) return given;
  const active = trace.getSpanContext(context.active());
  if (active === undefined || !isSpanContextValid(active)) return undefined;
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`;
}
