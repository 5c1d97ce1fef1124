/** What is left of a deleted aggregate in the graph: the position of its deletion. */
import type { Position } from './position.ts';

/** A remembered deletion; `key` is `aggregateType:aggregateId`. */
export interface Tombstone {
  readonly key: string;
  readonly position: Position;
}

/** Up to `limit` tombstones older than the retention, in the order of their keys, after `afterKey`. */
export interface TombstonePage {
  readonly olderThanDays: number;
  readonly limit: number;
  readonly afterKey: string | null;
}
