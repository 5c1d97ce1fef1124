/**
 * Purges tombstones older than the retention: no message that old can still arrive. One whose aggregate the outbox still holds a pending or dead event of stays,
 * because that event may be redriven; and it stays for an hour after that event was settled, because until then another delivery of the event may be in the
 * hands of a consumer that read it while it was pending. An event that was discarded holds nothing beyond that hour: it is out of the outbox, and no part brings it back.
 */
import type { ListedTombstone, Tombstone, TombstonePage } from '../contract/tombstone.ts';

export interface TombstonePorts {
  readonly listTombstones: (page: TombstonePage) => Promise<readonly ListedTombstone[]>;
  /** Notes that they must stay for another hour. */
  readonly holdTombstones: (keys: readonly string[]) => Promise<void>;
  readonly removeTombstones: (tombstones: readonly Tombstone[]) => Promise<number>;
  /** Those of the aggregates that have a pending or dead event. */
  readonly unsettledAggregates: (aggregateKeys: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly remainingMillis: () => number;
}

const pageTombstones = 500;
const leaveMillis = 5_000;

/** Purges what it has time for, and returns how many. */
export async function purgeTombstones(ports: TombstonePorts, olderThanDays: number): Promise<number> {
  let purged = 0;
  let after: TombstonePage['after'] = null;
  while (ports.remainingMillis() > leaveMillis) {
    const page: readonly ListedTombstone[] = await ports.listTombstones({
      olderThanDays,
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
