/** A log that says nothing, for flows whose log is not what a test is about. */
import type { ConsumeLog } from '../../lib/consumer/ports.ts';
import type { SpanLog } from '../../lib/consumer/spans.ts';
import type { PublishLog } from '../../lib/publisher/ports.ts';
import type { SweepLog } from '../../lib/sweep/sweep.ts';

export const silentLog: ConsumeLog & SpanLog & PublishLog & SweepLog = {
  publishingPending: () => undefined,
  published: () => undefined,
  leftToSweep: () => undefined,
  typeUnknown: () => undefined,
  messageUnreadable: () => undefined,
  eventOutcome: () => undefined,
  eventSuspected: () => undefined,
  outOfTime: () => undefined,
  spansNotDelivered: () => undefined,
  eventRepublished: () => undefined,
  eventExhausted: () => undefined,
  eventNotRepublished: () => undefined,
  eventUnreachable: () => undefined,
};
