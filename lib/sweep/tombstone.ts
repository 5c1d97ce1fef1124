/** The tombstone of a deleted aggregate in the graph: the position of its deletion. */
import type { Position } from '../contract/position.ts';

/** A remembered deletion; `key` is the aggregate's in the registry. */
export interface Tombstone {
  readonly key: string;
  readonly position: Position;
}

/** A tombstone in the purge's list. */
export interface ListedTombstone extends Tombstone {
  /** ISO 8601, to the nanosecond. */
  readonly deletedAt: string;
  /**
   * Old enough, and held by no event. The list also has tombstones that will be old enough within
   * an hour, so that they can be held.
   */
  readonly isRemovable: boolean;
}

/**
 * A query for tombstones that are old enough or will be within an hour: up to `limit` of them,
 * oldest first, after the previous page.
 */
export interface TombstonePage {
  readonly olderThanDays: number;
  /** How long the outbox keeps processed events. */
  readonly processedSeconds: number;
  readonly limit: number;
  readonly after: Pick<ListedTombstone, 'deletedAt' | 'key'> | null;
}
