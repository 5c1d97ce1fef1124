/**
 * What an operator sees of dead events. Plain data: printed, sent as JSON, and drawn by the console. An event may have
 * been written past the validator, so that nothing here is sure of its fields.
 */
import type { Position } from '../../lib/contract/position.ts';

/** One of them in a list. */
export interface DeadRow {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly operation: string;
  readonly deadAt: Date;
  readonly code: string;
  readonly message: string;
}

/** All fields but the payload; null where it has none of the right type. */
export interface DeadDetails extends DeadRow {
  readonly position: Position | null;
  readonly createdAt: Date | null;
  readonly attempts: number;
  readonly traceparent: string | null;
}

/** Those of one code and aggregate type. */
export interface DeadGroup {
  readonly code: string;
  readonly aggregateType: string;
  readonly events: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** The groups with most events first, the events that died last first. */
export interface DeadList {
  readonly groups: readonly DeadGroup[];
  /** The groups are of the newest events alone: there are more than anybody should wait for. */
  readonly isCapped: boolean;
  readonly events: readonly DeadRow[];
}
