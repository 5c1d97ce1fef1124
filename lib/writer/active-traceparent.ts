/**
 * The trace context that a writer's events carry: from the OpenTelemetry API, whose calls do nothing where no SDK is
 * registered.
 */
import { context, isSpanContextValid, trace } from '@opentelemetry/api';
import { readTraceparent } from '../contract/traceparent.ts';

/**
 * The given trace context, or that of the active span; undefined where there is neither. A malformed one counts as
 * none: it often comes from a request's header, and must not end the writer's transaction.
 */
export function activeTraceparent(given: string | undefined): string | undefined {
  if (readTraceparent(given) !== null) return given;
  const active = trace.getSpanContext(context.active());
  if (active === undefined || !isSpanContextValid(active)) return undefined;
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`;
}
