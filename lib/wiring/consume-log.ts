/** What the consumer says, as log lines: the same in its function and in the worker. */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { ConsumeLog } from '../consume/consume-ports.ts';

/** Writes the consumer's log to a logger. */
export function consumeLog(logger: Pick<Logger, 'error' | 'warn'>): ConsumeLog {
  return {
    messageUnreadable: (messageId, reason) => logger.error('message unreadable', { messageId, reason }),
    eventDead: (eventId, code) => logger.error('event dead', { eventId, code }),
    eventInConflict: (eventId, conflicts) => logger.warn('event in conflict', { eventId, conflicts }),
    eventSuspected: (eventId, trials) => logger.warn('event suspected', { eventId, trials }),
    outOfTime: (count) => logger.warn('out of time', { count }),
  };
}
