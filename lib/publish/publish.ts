/**
 * The publisher's flow: hold the lease, tail the outbox, send pointers to the bus, and save where to go on only after the sends. Killed at
 * any point, the next one sends again what may not have been sent; nothing is skipped.
 */
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';
import { type SendOptions, sendAll } from './send-all.ts';

/** Pointers in the order of their inserts, and the token that lies after the last of them. */
export interface TailedPointers<Token> {
  readonly pointers: readonly Pointer[];
  readonly resumeToken: Token;
}

/** An open tail of the outbox; `next` throws a `history-lost` fault if it cannot go on. */
export interface Tail<Token> {
  readonly next: () => Promise<TailedPointers<Token>>;
  readonly close: () => Promise<void>;
}

/** The lease as the flow holds it; `resumeToken` is null on the first start. */
export interface HeldLease<Token> {
  readonly resumeToken: Token | null;
  /** Saves a token (null: none yet) and renews the lease; false if another publisher has it now. */
  readonly save: (resumeToken: Token | null) => Promise<boolean>;
  readonly release: () => Promise<void>;
}

/** What publishing needs. */
export interface PublishPorts<Token> extends SendOptions {
  /** Takes the lease, or null while another publisher holds it. */
  readonly acquireLease: () => Promise<HeldLease<Token> | null>;
  readonly tailFrom: (resumeToken: Token) => Tail<Token>;
  /** Opens a tail from now on, together with every event that is pending by now. */
  readonly tailFromNow: () => Promise<{
    readonly tail: Tail<Token>;
    readonly pending: AsyncIterable<readonly Pointer[]>;
  }>;
  readonly remainingMillis: () => number;
  readonly log: PublishLog;
}

export interface PublishLog {
  /** There is no token to go on from: every pending event is published again. `code` is null on the first start. */
  readonly publishingPending: (code: string | null) => void;
  readonly leftToSweep: (count: number) => void;
}

/**
 * What one invocation came to. `not-needed`: another publisher held the lease all the time. `lease-lost`: another one took
 * over while this one was held up.
 */
export interface PublishReport {
  readonly outcome: 'handed-over' | 'not-needed' | 'lease-lost';
  readonly published: number;
  readonly refused: number;
  readonly historyLost: number;
}

/** Leaves this long for the last batch, the checkpoint and the release, before the function's time-out. */
const leaveMillis = 5_000;

const leasePollMillis = 250;

/** A checkpoint is saved at most this often while nothing was sent. */
const idleCheckpointMillis = 2_000;

/**
 * Publishes until its time is nearly up, then hands the lease over.
 *
 * @throws Fault `bus-unavailable` or `mongodb-unavailable`; the checkpoint stays where everything before it was sent.
 */
export async function publish<Token>(ports: PublishPorts<Token>): Promise<PublishReport> {
  const lease = await waitForLease(ports);
  if (lease === null) return { outcome: 'not-needed', published: 0, refused: 0, historyLost: 0 };
  const run = new PublishRun(ports, lease);
  try {
    return await run.untilTimeIsUp();
  } finally {
    await lease.release();
  }
}

async function waitForLease<Token>(ports: PublishPorts<Token>): Promise<HeldLease<Token> | null> {
  for (;;) {
    const lease = await ports.acquireLease();
    if (lease !== null || ports.remainingMillis() < leaveMillis + leasePollMillis) return lease;
    await ports.sleep(leasePollMillis);
  }
}

/** The state of one invocation that holds the lease. */
class PublishRun<Token> {
  readonly #ports: PublishPorts<Token>;
  readonly #lease: HeldLease<Token>;
  #published = 0;
  #refused = 0;
  #historyLost = 0;
  #savedAtRemaining: number;

  constructor(ports: PublishPorts<Token>, lease: HeldLease<Token>) {
    this.#ports = ports;
    this.#lease = lease;
    this.#savedAtRemaining = ports.remainingMillis();
  }

  async untilTimeIsUp(): Promise<PublishReport> {
    let token = this.#lease.resumeToken;
    for (;;) {
      try {
        const held = token === null ? await this.#catchUp() : await this.#follow(this.#ports.tailFrom(token));
        return this.#report(held ? 'handed-over' : 'lease-lost');
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'history-lost') throw error;
        this.#historyLost += 1;
        token = null;
      }
    }
  }

  /** Publishes every pending event, then follows the tail that was opened before they were read. */
  async #catchUp(): Promise<boolean> {
    this.#ports.log.publishingPending(this.#historyLost > 0 ? 'history-lost' : null);
    const { tail, pending } = await this.#ports.tailFromNow();
    for await (const pointers of pending) {
      await this.#send(pointers);
      if (!(await this.#lease.save(null))) {
        await tail.close();
        return false;
      }
      if (this.#isTimeUp()) {
        await tail.close();
        return true;
      }
    }
    return this.#follow(tail);
  }

  async #follow(tail: Tail<Token>): Promise<boolean> {
    try {
      while (!this.#isTimeUp()) {
        const { pointers, resumeToken } = await tail.next();
        await this.#send(pointers);
        if (!(await this.#saveIfDue(pointers.length, resumeToken))) return false;
      }
      return true;
    } finally {
      await tail.close();
    }
  }

  async #send(pointers: readonly Pointer[]): Promise<void> {
    if (pointers.length === 0) return;
    const { sent, refused } = await sendAll(pointers, this.#ports);
    this.#published += sent;
    this.#refused += refused;
    if (refused > 0) this.#ports.log.leftToSweep(refused);
  }

  async #saveIfDue(sent: number, resumeToken: Token): Promise<boolean> {
    const remaining = this.#ports.remainingMillis();
    if (sent === 0 && this.#savedAtRemaining - remaining < idleCheckpointMillis) return true;
    this.#savedAtRemaining = remaining;
    return this.#lease.save(resumeToken);
  }

  #isTimeUp(): boolean {
    return this.#ports.remainingMillis() < leaveMillis;
  }

  #report(outcome: PublishReport['outcome']): PublishReport {
    return { outcome, published: this.#published, refused: this.#refused, historyLost: this.#historyLost };
  }
}
