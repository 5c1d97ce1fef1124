/**
 * Purges tombstones older than the retention: no message that old can still arrive. A tombstone
 * stays longer while an event of its aggregate can become pending again:
 *
 * - If its aggregate has a pending or dead event, it stays, because that event may be redriven. It
 *   also stays for an hour afterwards: until then, a consumer that read the event while it was
 *   pending may still process another delivery of it. A discarded event holds its tombstone only
 *   for that hour, because it has left the outbox and no part restores it.
 * - A processed event may be replayed until the outbox purges it. An event of a deleted aggregate
 *   was processed either before the deletion, or because the deletion superseded it. The consumer
 *   notes the latter on the tombstone, so that no index of processed events is needed. The purge
 *   waits for the outbox's retention after both times.
 */
import type { ListedTombstone, Tombstone, TombstonePage } from './tombstone.ts';

export interface TombstonePorts {
  readonly listTombstones: (page: TombstonePage) => Promise<readonly ListedTombstone[]>;
  /** Notes that they must stay for another hour. */
  readonly holdTombstones: (keys: readonly string[]) => Promise<void>;
  readonly removeTombstones: (tombstones: readonly Tombstone[]) => Promise<number>;
  /** Returns those of the aggregates that have a pending or dead event. */
  readonly unsettledAggregates: (aggregateKeys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Returns how long the outbox keeps processed events; null if it keeps them forever. */
  readonly readRetentionSeconds: () => Promise<number | null>;
  readonly remainingMillis: () => number;
}

const pageTombstones = 500;
const reserveMillis = 5_000;

/** Purges tombstones while time remains, and returns how many. */
export async function purgeTombstones(ports: TombstonePorts, olderThanDays: number): Promise<number> {
  const processedSeconds = await ports.readRetentionSeconds();
  if (processedSeconds === null) return 0;
  let purged = 0;
  let after: TombstonePage['after'] = null;
  while (ports.remainingMillis() > reserveMillis) {
    const page: readonly ListedTombstone[] = await ports.listTombstones({
      olderThanDays,
      processedSeconds,
      limit: pageTombstones,
      after,
    });
    const last = page.at(-1);
    if (last === undefined) break;
    after = last;
    const unsettled = await ports.unsettledAggregates(page.map((tombstone) => tombstone.key));
    if (unsettled.size > 0) await ports.holdTombstones([...unsettled]);
    purged += await ports.removeTombstones(page.filter(({ key, isRemovable }) => isRemovable && !unsettled.has(key)));
  }
  return purged;
}
