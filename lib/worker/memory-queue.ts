/**
 * The queue of the worker: pointers in memory, each event once, delivered again after a while if they were not settled.
 */
import type { QueueMessage } from '../consumer/queue-message.ts';
import type { Pointer } from '../contract/pointer.ts';

/**
 * The first redelivery waits this long, each further one twice as long, up to the maximum: what a visibility time-out
 * is in SQS.
 */
const firstDelayMillis = 5_000;
const maxDelayMillis = 60_000;

/** More pointers than these wait at the entrance: a backlog stays in MongoDB, not in memory. */
const capacity = 10_000;

/** A queue with back-pressure. What is in it is also pending in MongoDB, so that nothing is lost with the process. */
export class MemoryQueue {
  readonly #ready: QueueMessage[] = [];
  /** All events that are queued, delivered or waiting for their redelivery. */
  readonly #known = new Set<string>();
  /** Events that count as received before when they come. */
  readonly #redelivered = new Set<string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #changed = Promise.withResolvers<void>();
  #closed = false;

  /** Messages that wait to be taken. */
  get length(): number {
    return this.#ready.length;
  }

  /** Events in the queue and in the consumers' hands. */
  get inFlight(): number {
    return this.#known.size;
  }

  /**
   * Pointers of a backlog, before they are sent: they count as received before, because a process that ended may have
   * begun with them, and ended by one of them.
   */
  markRedelivered(pointers: readonly Pointer[]): void {
    for (const { eventId } of pointers) this.#redelivered.add(eventId);
  }

  /** Puts pointers in, and waits while the queue is full; an event that is in it already is not put in again. */
  async send(pointers: readonly Pointer[]): Promise<void> {
    while (this.#ready.length >= capacity && !this.#closed) await this.#changed.promise;
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

  /**
   * Puts pointers in unless the queue is full: then it returns all of them, as SQS would refuse them, and nobody waits.
   */
  async offer(pointers: readonly Pointer[]): Promise<readonly Pointer[]> {
    if (this.#ready.length >= capacity) return pointers;
    await this.send(pointers);
    return [];
  }

  /** Takes up to so many messages; waits for the first one. Empty only when the queue is closed. */
  async receive(limit: number): Promise<readonly QueueMessage[]> {
    while (this.#ready.length === 0 && !this.#closed) await this.#changed.promise;
    const messages = this.#closed ? [] : this.#ready.splice(0, limit);
    this.#notify();
    return messages;
  }

  /** Ends a delivery: the failed messages come again after a while, the others are done. */
  finish(messages: readonly QueueMessage[], failedMessageIds: readonly string[]): void {
    const failed = new Set(failedMessageIds);
    for (const message of messages) {
      if (failed.has(message.messageId)) this.#deliverLater(message);
      else this.#known.delete(message.messageId);
    }
  }

  /**
   * Puts messages back behind the others: it was a server that failed, not they, and the consumer backs off by itself.
   */
  retryNow(messages: readonly QueueMessage[]): void {
    this.#ready.push(...messages);
    this.#notify();
  }

  /** Whether the event is queued, delivered or waiting for its redelivery. */
  has(eventId: string): boolean {
    return this.#known.has(eventId);
  }

  /** Nothing is delivered any more; whoever waits goes on. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#notify();
  }

  #deliverLater(message: QueueMessage): void {
    // A timer set now would only hold up the end of the process.
    if (this.#closed) return;
    const delay = Math.min(firstDelayMillis * 2 ** (message.receiveCount - 1), maxDelayMillis);
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
