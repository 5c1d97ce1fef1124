/**
 * The worker's queue in memory. It holds each event's pointer once, and redelivers it with back-off
 * until the event is settled.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { QueueMessage } from '../consumer/queue-message.ts';
import type { Pointer } from '../contract/pointer.ts';
import { delayAfter } from '../runtime/back-off.ts';

/**
 * Back-off of redeliveries; doubles up to the maximum. Corresponds to SQS's visibility time-out.
 */
const redeliveryMillis = { first: 5_000, most: 60_000 };

/** While this many pointers wait, no more are read: a backlog stays in MongoDB, not in memory. */
const capacity = 10_000;

/** How long a full queue keeps its sender waiting at a time. */
const waitMillis = 250;

/**
 * A queue with back-pressure. Its events stay pending in MongoDB: none is lost with the process.
 */
export class MemoryQueue {
  readonly #ready: QueueMessage[] = [];
  /** All events that are queued, delivered or waiting for redelivery. */
  readonly #known = new Set<string>();
  /** Events that will count as received before. */
  readonly #redelivered = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #changed = Promise.withResolvers<void>();
  #closed = false;

  /** Number of messages ready for delivery. */
  get length(): number {
    return this.#ready.length;
  }

  /** Number of events that are queued, delivered or waiting for redelivery. */
  get inFlight(): number {
    return this.#known.size;
  }

  /**
   * Makes pointers of a backlog count as received before when they are sent: an earlier process may
   * have begun to process them, and one of them may have crashed it.
   */
  markRedelivered(pointers: readonly Pointer[]): void {
    for (const { eventId } of pointers) this.#redelivered.add(eventId);
  }

  /** Waits briefly while the queue is full; false if it still is. */
  async waitForCapacity(): Promise<boolean> {
    if (this.#isFull()) await Promise.race([this.#changed.promise, sleep(waitMillis)]);
    return !this.#isFull();
  }

  /** Adds pointers of events that are not yet in the queue. */
  send(pointers: readonly Pointer[]): void {
    for (const { eventId, aggregateType, aggregateId } of pointers) {
      const isRedelivered = this.#redelivered.delete(eventId);
      if (this.#known.has(eventId)) continue;
      this.#known.add(eventId);
      this.#ready.push({
        messageId: eventId,
        body: JSON.stringify({ eventId, aggregateType, aggregateId }),
        receiveCount: isRedelivered ? 2 : 1,
        receiptHandle: '',
      });
    }
    this.#notify();
  }

  /** Adds pointers, unless the queue is full: then it refuses, like SQS, and returns all of them. */
  offer(pointers: readonly Pointer[]): readonly Pointer[] {
    if (this.#isFull()) return pointers;
    this.send(pointers);
    return [];
  }

  /** Takes up to `limit` messages; waits for the first. Empty only after the queue is closed. */
  async receive(limit: number): Promise<readonly QueueMessage[]> {
    while (this.#ready.length === 0 && !this.#closed) await this.#changed.promise;
    const messages = this.#closed ? [] : this.#ready.splice(0, limit);
    this.#notify();
    return messages;
  }

  /** Ends a delivery: redelivers failed messages after their back-off, and forgets the others. */
  finish(messages: readonly QueueMessage[], failedMessageIds: readonly string[]): void {
    const failed = new Set(failedMessageIds);
    for (const message of messages) {
      if (failed.has(message.messageId)) this.#deliverLater(message);
      else this.#known.delete(message.messageId);
    }
  }

  /** Requeues messages at the end after a server fault; the consumer does the back-off. */
  retryNow(messages: readonly QueueMessage[]): void {
    this.#ready.push(...messages);
    this.#notify();
  }

  /** Whether the event is queued, delivered or waiting for redelivery. */
  has(eventId: string): boolean {
    return this.#known.has(eventId);
  }

  /** Stops deliveries; pending `receive` calls return. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#notify();
  }

  #isFull(): boolean {
    return this.#ready.length >= capacity;
  }

  #deliverLater(message: QueueMessage): void {
    // A timer would only delay the end of the process.
    if (this.#closed) return;
    const delay = delayAfter(message.receiveCount, redeliveryMillis);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#ready.push({ ...message, receiveCount: message.receiveCount + 1 });
      this.#notify();
    }, delay);
    this.#timers.add(timer);
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}
