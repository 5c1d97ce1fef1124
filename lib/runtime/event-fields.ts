/** What every log line about one event says of it, and when lines about single events are written at all. */
import { type Logger, LogLevelThreshold } from '@aws-lambda-powertools/logger';
import { readTraceparent, type TracedEvent } from '../contract/traceparent.ts';

/** The event's id, and the trace of its writer's change, where there is one. */
export function eventFields({ eventId, traceparent }: TracedEvent): {
  readonly eventId: string;
  readonly trace_id?: string;
} {
  const trace = readTraceparent(traceparent);
  return trace === null ? { eventId } : { eventId, trace_id: trace.traceId };
}

/**
 * Whether what went well is logged for each event; asked each time, because the level may change with each invocation.
 */
export function logsEachEvent(logger: Pick<Logger, 'level'>): boolean {
  return logger.level <= LogLevelThreshold.DEBUG;
}
