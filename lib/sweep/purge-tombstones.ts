/**
 * Purges tombstones older than the retention: no message that old can still arrive. One whose aggregate the outbox still holds a pending or dead event of
 * stays, because that event may be redriven.
 */
import type { Tombstone, TombstonePage } from '../contract/tombstone.ts';

export interface TombstonePorts {
  readonly listTombstones: (page: TombstonePage) => Promise<readonly Tombstone[]>;
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
  let afterKey: string | null = null;
  while (ports.remainingMillis() > leaveMillis) {
    const page: readonly Tombstone[] = await ports.listTombstones({ olderThanDays, limit: pageTombstones, afterKey });
    const last = page.at(-1);
    if (last === undefined) break;
    afterKey = last.key;
    const unsettled = await ports.unsettledAggregates(page.map((tombstone) => tombstone.key));
    purged += await ports.removeTombstones(page.filter((tombstone) => !unsettled.has(tombstone.key)));
  }
  return purged;
}
