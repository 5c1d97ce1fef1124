/** An event to mark dead, and the reason. */
import type { DataFaultCode } from '../contract/fault.ts';

export interface DeadEvent {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
  readonly code: DataFaultCode;
  /**
   * Names the path of the problem. It may name aggregates and keys, so it belongs in the outbox and
   * never in a log.
   */
  readonly message: string;
}
