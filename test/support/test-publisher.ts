/**
 * A publisher on a real MongoDB whose bus is the test: it records what was sent and reported, and
 * the test decides when it ends.
 */

import type { Pointer } from '../../lib/contract/pointer.ts';
import { exclusiveLease } from '../../lib/publisher/mongodb-lease.ts';
import type { LossCode } from '../../lib/publisher/ports.ts';
import { noCounts, type PublishReport } from '../../lib/publisher/publish.ts';
import { joinPublisher } from '../../lib/publisher/wiring.ts';
import { publisherSettings, readSettings } from '../../lib/runtime/settings.ts';

export interface TestPublisherOptions {
  readonly mongodbUri: string;
  readonly database: string;
  readonly checkpointId?: string;
  readonly leaseSeconds?: number;
  /** Called before the pointers of a call are accepted; can delay them. */
  readonly onSend?: (pointers: readonly Pointer[]) => Promise<void> | void;
}

export interface TestPublisher {
  /** Ids of the events sent, in the order of the sends. */
  readonly sent: readonly string[];
  readonly said: readonly (LossCode | null)[];
  /** Publishes until `stop`, or until `remainingMillis` says that the time is up. */
  readonly publish: (remainingMillis?: () => number) => Promise<PublishReport>;
  /** The same, but continues after failures, as the function does. */
  readonly publishUntilTimeIsUp: () => Promise<PublishReport>;
  /** Makes publishing end as if its time were up. */
  readonly stop: () => void;
  readonly close: () => Promise<void>;
}

/** Creates a publisher. Call `close` after the test. */
export function testPublisher(options: TestPublisherOptions): TestPublisher {
  const sent: string[] = [];
  const said: (LossCode | null)[] = [];
  let stopped = false;
  const settings = readSettings(publisherSettings.omit({ EVENT_BUS_NAME: true }), {
    MONGODB_URI: options.mongodbUri,
    MONGODB_DATABASE: options.database,
    PUBLISHER_LEASE_SECONDS: String(options.leaseSeconds ?? 15),
  });
  const publisher = joinPublisher(settings, {
    send: async (packs) => {
      const pointers = packs.flat();
      await options.onSend?.(pointers);
      sent.push(...pointers.map(({ eventId }) => eventId));
      return [];
    },
    pointersPerEntry: 1,
    lingerMillis: 0,
    close: () => undefined,
    lease: exclusiveLease(options.checkpointId ?? 'test'),
  });
  const log = {
    publishingPending: (code: LossCode | null) => void said.push(code),
    published: () => undefined,
    leftToSweep: () => undefined,
    publishingFailed: () => undefined,
    leaseLost: () => undefined,
  };
  const clock = () => 1_000_000_000 - performance.now();
  return {
    sent,
    said,
    publish: (remainingMillis = clock) => publisher.publish(() => (stopped ? 0 : remainingMillis()), log),
    publishUntilTimeIsUp: () => publisher.publishUntilTimeIsUp(() => (stopped ? 0 : clock()), log, noCounts()),
    stop: () => {
      stopped = true;
    },
    close: () => publisher.close(),
  };
}
