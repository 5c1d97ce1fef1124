/**
 * The trace context of a writer's events, from the OpenTelemetry API. Without a registered SDK, the
 * API's calls do nothing. A service without OpenTelemetry need not install the API.
 */
import { readTraceparent } from '../contract/traceparent.ts';

const opentelemetry = import('@opentelemetry/api').catch(() => null);

/**
 * Returns the given trace context, or that of the active span; undefined if there is neither. A
 * malformed one is ignored, because it often comes from a request's header and must not abort the
 * writer's transaction.
 */
export async function activeTraceparent(given: string | undefined): Promise<string | undefined> {
  if (readTraceparent(given) !== null) return given;
  const api = await opentelemetry;
  const active = api?.trace.getSpanContext(api.context.active());
  if (api === null || active === undefined || !api.isSpanContextValid(active)) return undefined;
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`;
}
