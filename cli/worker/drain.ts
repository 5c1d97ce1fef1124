/** `outgraph worker --once`: a sweep, and then until everything that was pending is settled. */
import type { Db } from 'mongodb';
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countOutbox, countPendingUntil } from '../../lib/outbox/mongodb-measure.ts';
import type { WorkerSettings } from '../../lib/runtime/settings.ts';
import type { SweepLog } from '../../lib/sweep/sweep.ts';
import { joinSweep } from '../../lib/sweep/wiring.ts';
import type { WorkHealth } from '../../lib/worker/work.ts';
import { sleepUnless } from '../databases.ts';
import { isAway } from './prepare.ts';

/** What was left. */
export interface Drained {
  /** Written before the worker started, and not settled. */
  readonly pending: number;
  /** All dead events of the outbox, up to {@link maxDead}. */
  readonly dead: number;
  /** Why it gave up; null if nothing is pending. */
  readonly reason: string | null;
}

const maxDead = 1_000_000;
const maxSweepMillis = 300_000;

/**
 * Sweeps until it finds nothing more to mark dead. It leaves stale events to the worker, which
 * publishes everything that is pending when it starts: no attempt of an event counts.
 *
 * @throws Fault of the step that failed.
 */
export async function sweepOnce(settings: WorkerSettings, log: SweepLog): Promise<void> {
  const sweeper = joinSweep(settings, {
    isWaiting: () => true,
    countBacklog: async () => 0,
    sendToQueue: async (packs) => packs,
    pointersPerEntry: 1,
    close: () => undefined,
  });
  const endsAt = Date.now() + maxSweepMillis;
  const once = async () => (await sweeper.sweep(() => endsAt - Date.now(), undefined, log)).unreachable ?? 0;
  try {
    while ((await once()) > 0 && Date.now() < endsAt);
  } finally {
    await sweeper.close();
  }
}

/** How the waiting for a worker ends. */
export interface DrainLimits {
  /** It gives up if the number of pending events has not changed for this long. */
  readonly giveUpSeconds: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until a worker has settled everything that is pending now. Events that are written
 * meanwhile do not count. Null if it was interrupted.
 *
 * @throws Fault `mongodb-unavailable` if MongoDB is away at the beginning or at the end.
 */
export async function drain(
  db: Db,
  health: () => WorkHealth,
  { giveUpSeconds, signal }: DrainLimits,
): Promise<Drained | null> {
  const outbox = outboxOf(db);
  const until = await readClusterTime(db.client, outbox);
  const ended = async (pending: number, reason: string | null) => {
    const { dead } = await countOutbox(outbox, maxDead);
    return { pending, dead, reason };
  };
  let pending = Number.POSITIVE_INFINITY;
  let changedAt = Date.now();
  while (!signal.aborted) {
    const startedAt = Date.now();
    const isOver = startedAt - changedAt > giveUpSeconds * 1_000;
    const counted = await countPendingUntil(outbox, until).catch((error: unknown) => {
      if (isOver || !isAway(error)) throw error;
      return pending;
    });
    if (counted === 0) return ended(0, null);
    if (counted !== pending) changedAt = Date.now();
    else if (isOver) return ended(pending, reasonOf(health()));
    pending = counted;
    // Counting takes a tenth of the time at most.
    await sleepUnless(signal, Math.max(pollMillis, 10 * (Date.now() - startedAt)));
  }
  return null;
}

const pollMillis = 200;

/** Why events are still pending, as far as the worker knows. */
function reasonOf({ failing, failedEvents, publisher }: WorkHealth): string {
  const reasons = [...Object.values(failing).map(({ reason }) => reason), failedEvents?.reason ?? []].flat();
  if (reasons.length > 0) return [...new Set(reasons)].join(' ');
  return publisher === 'standby' ? 'Another worker has the lease.' : 'See where they wait: npx outgraph status';
}
