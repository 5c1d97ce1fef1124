/** A message of the queue as the flow sees it, and what it says once it is read. */

/** A message as it was received; `receiveCount` is how often, this time included. */
export interface QueueMessage {
  readonly messageId: string;
  readonly body: string;
  readonly receiveCount: number;
  /** By which SQS knows this delivery; empty for a queue that has none. */
  readonly receiptHandle: string;
}

/** A message whose pointer could be read. */
export interface ReadMessage extends QueueMessage {
  /** 24 hexadecimal digits. */
  readonly eventId: string;
}

/** A message that nobody can read, and why. */
export interface UnreadableMessage extends QueueMessage {
  readonly reason: string;
}
