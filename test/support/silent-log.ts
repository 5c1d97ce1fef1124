/** A log that records nothing, for tests that are not about the log. */
import type { ConsumeLog } from '../../lib/consumer/ports.ts';
import type { SpanLog } from '../../lib/consumer/spans.ts';
import type { PublishLog } from '../../lib/publisher/ports.ts';
import type { SweepLog } from '../../lib/sweep/sweep.ts';
import type { ExportLog } from '../../lib/worker/log.ts';

export const silentLog: ConsumeLog & SpanLog & PublishLog & SweepLog & ExportLog = {
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
  metricsNotDelivered: () => undefined,
};
