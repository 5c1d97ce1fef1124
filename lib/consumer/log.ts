/** The consumer's log lines, shared by its function and the worker. */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { TracedEvent } from '../contract/traceparent.ts';
import { eventFields, logsEachEvent } from '../runtime/event-fields.ts';
import type { ConsumeLog, ReportedOutcome } from './ports.ts';
import type { SpanLog } from './spans.ts';

type ConsumeLogger = Pick<Logger, 'error' | 'warn' | 'debug' | 'level'>;

/** Creates a consumer log that writes to `logger`. */
export function consumeLog(logger: ConsumeLogger): ConsumeLog & SpanLog {
  return {
    eventOutcome: (event, outcome) => logOutcome(logger, event, outcome),
    typeUnknown: (aggregateType) => logger.warn('aggregate type not in the catalog', { aggregateType }),
    messageUnreadable: (messageId, reason) => logger.error('message unreadable', { messageId, reason }),
    eventSuspected: (eventId, trials) => logger.warn('event suspected', { eventId, trials }),
    outOfTime: (count) => logger.warn('out of time', { count }),
    spansNotDelivered: (reason) => logger.warn('spans not delivered', { reason }),
  };
}

function logOutcome(logger: ConsumeLogger, event: TracedEvent, outcome: ReportedOutcome): void {
  if (outcome.outcome === 'dead') logger.error('event dead', { ...eventFields(event), ...outcome });
  else if (outcome.outcome === 'failed') logger.warn('event failed', { ...eventFields(event), ...outcome });
  else if (outcome.outcome === 'conflict') logger.warn('event in conflict', { ...eventFields(event), ...outcome });
  else if (logsEachEvent(logger)) logger.debug('event consumed', { ...eventFields(event), ...outcome });
}
