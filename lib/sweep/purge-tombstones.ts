/**
 * Purges tombstones older than the retention: no message that old can still arrive. A tombstone
 * stays longer while an event of its aggregate can become pending again:
 *
 * - One whose aggregate has a pending or dead event stays, because that event may be redriven; and
 *   for an hour after that, because until then another delivery of the event may be in the hands of
 *   a consumer that read it while it was pending. An event that was discarded holds nothing beyond
 *   that hour: it is out of the outbox, and no part brings it back.
 * - A processed event may be replayed until the outbox purges it. Of a deleted aggregate, it was
 *   processed either before the deletion or as superseded by it. The consumer notes the latter at
 *   the tombstone, so that no index of processed events is needed: both times plus the outbox's
 *   retention are waited for.
 */
import type { ListedTombstone, Tombstone, TombstonePage } from './tombstone.ts';

export interface TombstonePorts {
  readonly listTombstones: (page: TombstonePage) => Promise<readonly ListedTombstone[]>;
  /** Notes that they must stay for another hour. */
  readonly holdTombstones: (keys: readonly string[]) => Promise<void>;
  readonly removeTombstones: (tombstones: readonly Tombstone[]) => Promise<number>;
  /** Those of the aggregates that have a pending or dead event. */
  readonly unsettledAggregates: (aggregateKeys: readonly string[]) => Promise<ReadonlySet<string>>;
  /** How long the outbox keeps processed events; null: for ever. */
  readonly readRetentionSeconds: () => Promise<number | null>;
  readonly remainingMillis: () => number;
}

const pageTombstones = 500;
const leaveMillis = 5_000;

/** Purges what it has time for, and returns how many. */
export async function purgeTombstones(ports: TombstonePorts, olderThanDays: number): Promise<number> {
  const processedSeconds = await ports.readRetentionSeconds();
  if (processedSeconds === null) return 0;
  let purged = 0;
  let after: TombstonePage['after'] = null;
  while (ports.remainingMillis() > leaveMillis) {
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
