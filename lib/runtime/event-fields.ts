/** The fields of every log line about one event, and the level of lines about single events. */
import { type Logger, LogLevelThreshold } from '@aws-lambda-powertools/logger';
import { readTraceparent, type TracedEvent } from '../contract/traceparent.ts';

/** The event's id, and the trace id of the writer's change, if there is one. */
export function eventFields({ eventId, traceparent }: TracedEvent): {
  readonly eventId: string;
  readonly trace_id?: string;
} {
  const trace = readTraceparent(traceparent);
  return trace === null ? { eventId } : { eventId, trace_id: trace.traceId };
}

/** Whether to log each successful event. Not cached: each invocation may change the level. */
export function logsEachEvent(logger: Pick<Logger, 'level'>): boolean {
  return logger.level <= LogLevelThreshold.DEBUG;
}
