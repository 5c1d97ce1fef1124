/** The sweep's log lines about single events, the same in its function and in the worker. */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { DataFaultCode } from '../contract/fault.ts';
import { eventFields, logsEachEvent } from '../runtime/event-fields.ts';
import type { SweepLog } from './sweep.ts';

const code: DataFaultCode = 'attempts-exhausted';

/** Creates a sweep log that writes to `logger`. */
export function sweepLog(logger: Pick<Logger, 'error' | 'debug' | 'level'>): SweepLog {
  return {
    eventRepublished: (event) => {
      if (logsEachEvent(logger))
        logger.debug('event published again', { ...eventFields(event), attempts: event.attempts });
    },
    eventExhausted: (event) => logger.error('event dead', { ...eventFields(event), outcome: 'dead', code }),
    eventUnreachable: (eventId, code) => logger.error('event dead', { eventId, outcome: 'dead', code }),
    eventNotRepublished: (event) => {
      if (logsEachEvent(logger)) logger.debug('event left to the next sweep', eventFields(event));
    },
  };
}
