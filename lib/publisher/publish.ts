/**
 * The publisher's flow: hold the lease, publish the backlog by index and the tail of the outbox side by side, and save
 * where to go on only after the sends. Killed at any point, the next one goes on from what was saved, and sends again
 * what may not have been sent; nothing is skipped.
 */
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';
import type { HeldLease, LossCode, PublishPorts, Tail } from './ports.ts';
import { beginAt, type PublishProgress } from './progress.ts';
import { type SendPointers, sendAll } from './send-all.ts';

/** What was done so far. */
export interface PublishCounts {
  /** Pointers that the bus took, each time that it took them. */
  published: number;
  refused: number;
  historyLost: number;
  /** Events that a change stream could not bring, and that were found by index. */
  steppedPast: number;
  /** How often progress was saved. */
  checkpoints: number;
}

/**
 * What one invocation came to. `not-needed`: another publisher held the lease all the time. `lease-lost`: another one
 * took over while this one was held up.
 */
export interface PublishReport extends Readonly<PublishCounts> {
  readonly outcome: 'handed-over' | 'not-needed' | 'lease-lost';
}

/** Begins no further batch when less is left before the function's time-out. */
export const leaveMillis = 10_000;

/** Begins no further call; a call that hangs, the checkpoint and the release fit into what is left then. */
const stopSendingMillis = 8_000;

const leasePollMillis = 250;

/** Nothing done yet. */
export function noCounts(): PublishCounts {
  return { published: 0, refused: 0, historyLost: 0, steppedPast: 0, checkpoints: 0 };
}

/**
 * Publishes until its time is nearly up, then hands the lease over. `counts` goes up as things happen, also when it
 * throws.
 *
 * @throws Fault of the infrastructure, `bus-unavailable` or `mongodb-unavailable` mostly; the checkpoint stays where
 * everything before it was sent.
 */
export async function publish<Token>(ports: PublishPorts<Token>, counts = noCounts()): Promise<PublishReport> {
  const lease = await waitForLease(ports);
  if (lease === null) return { outcome: 'not-needed', ...counts };
  let outcome: PublishReport['outcome'];
  try {
    outcome = await new PublishRun(ports, lease, counts).untilTimeIsUp();
  } catch (error) {
    // What ended the run is what matters: a lease that cannot be given back runs out.
    await lease.release().catch(() => undefined);
    throw error;
  }
  await lease.release();
  return { outcome, ...counts };
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
  readonly #counts: PublishCounts;
  #leaseLost = false;
  /** A tail was lost, and none has got any further since. */
  #lostInVain = false;
  #savedAtRemaining: number;

  constructor(ports: PublishPorts<Token>, lease: HeldLease<Token>, counts: PublishCounts) {
    this.#ports = ports;
    this.#lease = lease;
    this.#counts = counts;
    this.#savedAtRemaining = ports.remainingMillis();
  }

  async untilTimeIsUp(): Promise<'handed-over' | 'lease-lost'> {
    let progress = this.#lease.progress;
    let loss: LossCode | null = null;
    for (;;) {
      try {
        progress ??= await this.#begin(loss);
        await this.#follow(progress);
        return this.#leaseLost ? 'lease-lost' : 'handed-over';
      } catch (error) {
        loss = lossOf(error);
        // Lost again at once: whoever called backs off.
        if (loss === null || this.#lostInVain) throw error;
        this.#lostInVain = true;
        this.#counts[loss === 'history-lost' ? 'historyLost' : 'steppedPast'] += 1;
        progress = null;
      }
    }
  }

  /**
   * From now on. Saved before anything is sent, so that whoever goes on has the same end of the backlog, and the tail
   * from there.
   */
  async #begin(loss: LossCode | null): Promise<PublishProgress<Token>> {
    this.#ports.log.publishingPending(loss);
    const progress = beginAt(await this.#ports.readClusterTime());
    await this.#save(progress);
    return progress;
  }

  async #follow(start: PublishProgress<Token>): Promise<void> {
    const tail = this.#ports.openTail(start.tail);
    let progress = start;
    try {
      while (!this.#leaseLost && this.#ports.remainingMillis() >= leaveMillis) {
        progress = await this.#publishNext(tail, progress);
      }
    } finally {
      await tail.close();
    }
  }

  /**
   * A chunk of the backlog and what the tail has: new events are neither held up by old ones, nor waited for while
   * there are old ones.
   */
  async #publishNext(tail: Tail<Token>, progress: PublishProgress<Token>): Promise<PublishProgress<Token>> {
    const { backlog } = progress;
    const chunk = backlog === null ? null : await this.#ports.readBacklog(backlog);
    const { pointers, resumeToken } = chunk === null ? await tail.next() : await tail.poll();
    if (resumeToken !== null) this.#lostInVain = false;
    const all = chunk === null ? pointers : [...chunk.pointers, ...pointers];
    if (!(await this.#send(all, progress))) return progress;
    const next = { tail: resumeToken === null ? progress.tail : { resumeToken }, backlog: chunk?.rest ?? null };
    if (all.length > 0 || this.#isSaveDue()) {
      await this.#save(next);
      if (!this.#leaseLost) this.#counts.checkpoints += 1;
    }
    return next;
  }

  /** False if it was stopped. Meanwhile the lease is renewed, with what was saved last. */
  async #send(pointers: readonly Pointer[], progress: PublishProgress<Token>): Promise<boolean> {
    const maySend = async () => {
      if (this.#isSaveDue()) await this.#save(progress);
      return !this.#leaseLost && this.#ports.remainingMillis() >= stopSendingMillis;
    };
    const send: SendPointers = async (some) => {
      const refused = await this.#ports.send(some);
      this.#counts.published += some.length - refused.length;
      this.#ports.log.published(refused.length === 0 ? some : some.filter((pointer) => !refused.includes(pointer)));
      return refused;
    };
    const report = await sendAll(pointers, { ...this.#ports, send, maySend });
    if (report.outcome === 'stopped') {
      // An outage that lasts until the time is up is an outage all the same.
      if (report.failure !== undefined && !this.#leaseLost) throw report.failure;
      return false;
    }
    this.#counts.refused += report.refused.length;
    if (report.refused.length > 0) this.#ports.log.leftToSweep(report.refused);
    return true;
  }

  #isSaveDue(): boolean {
    return this.#savedAtRemaining - this.#ports.remainingMillis() >= this.#lease.renewMillis;
  }

  async #save(progress: PublishProgress<Token>): Promise<void> {
    // Before the answer is there, because several calls ask at once whether it is due.
    this.#savedAtRemaining = this.#ports.remainingMillis();
    if (!(await this.#lease.save(progress))) this.#leaseLost = true;
  }
}

function lossOf(error: unknown): LossCode | null {
  if (!(error instanceof Fault)) return null;
  return error.code === 'history-lost' || error.code === 'change-event-too-large' ? error.code : null;
}
