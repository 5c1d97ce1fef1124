/**
 * The doctor's checks of a running stage. They only warn: `outgraph status` reports whether the
 * graph is in step.
 */
import type { OutboxCounts } from '../../lib/outbox/outbox-counts.ts';
import type { Canary } from '../../lib/sweep/canary.ts';
import { type Check, type Finding, ok, skipped, warning } from './doctor.ts';
import { deployed } from './expectations.ts';

/** The facts to judge. The queries throw their faults. */
export interface StagePorts {
  /** MongoDB's clock. */
  readonly readServerTime: () => Promise<Date>;
  /** When a publisher was last active; null if none ever ran. */
  readonly readPublisherActivity: () => Promise<Date | null>;
  readonly readLastCanary: () => Promise<Canary | null>;
  /** Counts up to `limit`. */
  readonly countOutbox: (limit: number) => Promise<OutboxCounts>;
}

const countLimit = 10_000;

/** The checks that must succeed first. */
export interface StageNeeds {
  readonly collections: Check;
  /** For counts: without its index, a count reads the whole outbox. */
  readonly indexes: Check;
}

/** @param ports null if the address of MongoDB is missing. */
export function stageChecks(ports: StagePorts | null, { collections, indexes }: StageNeeds): readonly Check[] {
  const check = (
    name: string,
    examine: (ports: StagePorts, now: Date) => Promise<Finding>,
    needs = [collections],
  ): Check => ({
    group: 'Stage',
    name,
    needs,
    right: 'it needs find on outbox and outboxCheckpoints',
    advice: "Run it again; if it fails again, check MongoDB's log.",
    examine: async () =>
      ports === null ? skipped('MONGODB_URI is not usable') : examine(ports, await ports.readServerTime()),
  });
  return [
    check('publisher', async (stage, now) => judgePublisher(await stage.readPublisherActivity(), now)),
    check('sweep', async (stage, now) => judgeCanary(await stage.readLastCanary(), now)),
    check('pending events', async (stage, now) => judgePending(await stage.countOutbox(countLimit), now), [indexes]),
    check('dead events', async (stage) => judgeDead(await stage.countOutbox(countLimit)), [indexes]),
  ];
}

function judgePublisher(lastActivity: Date | null, now: Date): Finding {
  if (lastActivity === null)
    return warning(
      'none has ever run on this database',
      'Expected before the first deployment, or with an Atlas Trigger. Otherwise check that a publisher or worker ' +
        'is running.',
    );
  const seconds = secondsBetween(lastActivity, now);
  if (seconds <= deployed.publisherSilenceSeconds) return ok(`active ${ago(seconds)}`);
  return warning(`inactive: last active ${ago(seconds)}`, 'See docs/runbook.md, publisher-silence.');
}

function judgeCanary(canary: Canary | null, now: Date): Finding {
  if (canary === null)
    return warning(
      'no canary: the sweep has not run on this database, or not for a long time',
      'Check that the sweep or a worker runs.',
    );
  const seconds = secondsBetween(canary.createdAt, now);
  const written = `its last canary was written ${ago(seconds)}`;
  if (canary.processedAt === null) {
    if (seconds <= deployed.canaryLagSeconds) return ok(`${written}, and is pending`);
    return warning(`${written}, and is not applied yet`, 'To see where it waits, run: outgraph status.');
  }
  const applied = `${written}, and applied after ${duration(secondsBetween(canary.createdAt, canary.processedAt))}`;
  if (seconds <= deployed.canaryLagSeconds) return ok(applied);
  return warning(`${applied}; none since`, 'Check that the sweep or a worker runs.');
}

function judgePending({ pending, oldestPending }: OutboxCounts, now: Date): Finding {
  if (pending === 0 || oldestPending === null) return ok('none');
  const seconds = secondsBetween(oldestPending, now);
  const words = `${counted(pending)}, the oldest written ${ago(seconds)}`;
  if (seconds <= deployed.oldestPendingSeconds) return ok(words);
  return warning(words, 'To see where they wait, run: outgraph status.');
}

function judgeDead({ dead }: OutboxCounts): Finding {
  if (dead === 0) return ok('none');
  return warning(counted(dead), 'To see which and why, run: outgraph dead list.');
}

function counted(count: number): string {
  return count >= countLimit ? `at least ${countLimit}` : String(count);
}

function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1_000);
}

function ago(seconds: number): string {
  return `${duration(seconds)} ago`;
}

function duration(seconds: number): string {
  if (seconds < 1.5) return 'a second';
  if (seconds < 120) return `${Math.round(seconds)} seconds`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}
