/** The doctor's checks of a stage at work. They only warn: whether the graph is in step, `outgraph status` says. */

import type { OutboxCounts } from '../../lib/outbox/outbox-counts.ts';
import type { Canary } from '../../lib/sweep/canary.ts';
import type { Check, Finding } from './doctor.ts';
import { ok, skipped, warning } from './doctor.ts';
import { deployed } from './expectations.ts';

/** What the checks read. Faults are the adapters'. */
export interface StagePorts {
  /** MongoDB's clock. */
  readonly readServerTime: () => Promise<Date>;
  /** When a publisher last did something; null where none ever did. */
  readonly readPublisherActivity: () => Promise<Date | null>;
  readonly readLastCanary: () => Promise<Canary | null>;
  /** Counted no further than `limit`. */
  readonly countOutbox: (limit: number) => Promise<OutboxCounts>;
}

const countLimit = 10_000;

/** What the checks stand on. */
export interface StageNeeds {
  readonly collections: Check;
  /** For those that count: without its index, a count reads the whole outbox. */
  readonly indexes: Check;
}

/** The checks. @param ports null where the address of MongoDB is missing. */
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
    advice: 'Run it again; if it stays so, look at the log of MongoDB.',
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
      'Right before the first deployment, and where an Atlas Trigger is in its place. Otherwise see that the publisher, or a worker, runs.',
    );
  const seconds = secondsBetween(lastActivity, now);
  if (seconds <= deployed.publisherSilenceSeconds) return ok(`at work ${ago(seconds)}`);
  return warning(`silent: last at work ${ago(seconds)}`, 'docs/runbook.md, publisher-silence, says what to look for.');
}

function judgeCanary(canary: Canary | null, now: Date): Finding {
  if (canary === null)
    return warning(
      'no canary: the sweep has not run on this database, or not for long',
      'See that the sweep, or a worker, runs.',
    );
  const seconds = secondsBetween(canary.createdAt, now);
  const written = `its last canary was written ${ago(seconds)}`;
  if (canary.processedAt === null) {
    if (seconds <= deployed.canaryLagSeconds) return ok(`${written}, and is on its way`);
    return warning(`${written}, and has not come through`, 'See where it waits: outgraph status.');
  }
  const through = `${written}, and came through in ${duration(secondsBetween(canary.createdAt, canary.processedAt))}`;
  if (seconds <= deployed.canaryLagSeconds) return ok(through);
  return warning(`${through}; none since`, 'See that the sweep, or a worker, runs.');
}

function judgePending({ pending, oldestPending }: OutboxCounts, now: Date): Finding {
  if (pending === 0 || oldestPending === null) return ok('none');
  const seconds = secondsBetween(oldestPending, now);
  const words = `${counted(pending)}, the oldest written ${ago(seconds)}`;
  if (seconds <= deployed.oldestPendingSeconds) return ok(words);
  return warning(words, 'See where they wait: outgraph status.');
}

function judgeDead({ dead }: OutboxCounts): Finding {
  if (dead === 0) return ok('none');
  return warning(counted(dead), 'See which, and why: outgraph dead list.');
}

function counted(count: number): string {
  return count >= countLimit ? `${countLimit} or more` : String(count);
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
