/** An event that is dead from now on, and why. */
import type { DataFaultCode } from '../contract/fault.ts';

export interface DeadEvent {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
  readonly code: DataFaultCode;
  /** Names the path of what is wrong; may name aggregates and keys, so it belongs in the outbox and never in a log. */
  readonly message: string;
}
