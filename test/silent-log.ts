/** A log that says nothing, for flows whose log is not what a test is about. */
import type { ConsumeLog } from '../lib/consume/consume-ports.ts';
import type { PublishLog } from '../lib/publish/publish-ports.ts';

export const silentLog: ConsumeLog & PublishLog = {
  publishingPending: () => undefined,
  leftToSweep: () => undefined,
  messageUnreadable: () => undefined,
  eventDead: () => undefined,
  eventInConflict: () => undefined,
  eventSuspected: () => undefined,
  outOfTime: () => undefined,
};
