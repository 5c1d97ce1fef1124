/** Queue messages, before and after their pointers are read. */

/** A received message. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  /** Number of receives, including this one. */
  readonly receiveCount: number;
  /** SQS's handle of this delivery; empty for a queue without handles. */
  readonly receiptHandle: string;
}

/** One event of a message with valid pointers. */
export interface ReadMessage extends QueueMessage {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
}

/** A message without a valid pointer, and the reason. */
export interface UnreadableMessage extends QueueMessage {
  readonly reason: string;
}
