/**
 * The publisher's flow. It holds the lease, publishes the backlog by index and the tail of the
 * outbox side by side, and saves its progress only after the sends. If it is killed at any point,
 * the next publisher continues from the saved progress and repeats sends that may have been lost.
 * Nothing is skipped.
 */
import { Fault } from '../contract/fault.ts';
import type { Pointer } from '../contract/pointer.ts';
import type { HeldLease, LossCode, PublishPorts, Tail } from './ports.ts';
import { beginAt, type PublishProgress } from './progress.ts';
import { type SendPacks, sendAll } from './send-all.ts';

/** Counts of one invocation so far. */
export interface PublishCounts {
  /** Pointers that the bus accepted, counted each time. */
  published: number;
  /** Bus entries that held them. */
  entries: number;
  refused: number;
  historyLost: number;
  /** Events that the change stream could not deliver and that were found by index. */
  steppedPast: number;
  /** Number of times that progress was saved. */
  checkpoints: number;
}

/**
 * The result of one invocation. `not-needed`: another publisher held the lease all the time.
 * `lease-lost`: another publisher took over while this one was stalled.
 */
export interface PublishReport extends Readonly<PublishCounts> {
  readonly outcome: 'handed-over' | 'not-needed' | 'lease-lost';
}

/** No further batch starts if less time than this remains before the function's time-out. */
export const handOverMillis = 10_000;

/**
 * No further call starts if less time than this remains. It leaves room for a call that hangs, the
 * checkpoint and the release of the lease.
 */
const stopSendingMillis = 8_000;

const leasePollMillis = 250;

export function noCounts(): PublishCounts {
  return { published: 0, entries: 0, refused: 0, historyLost: 0, steppedPast: 0, checkpoints: 0 };
}

/**
 * Publishes until the time is nearly up, then hands the lease over. `counts` increases meanwhile,
 * also if this throws.
 *
 * @throws Fault of the infrastructure, mostly `bus-unavailable` or `mongodb-unavailable`.
 * Everything before the checkpoint was sent.
 */
export async function publish<Token>(ports: PublishPorts<Token>, counts = noCounts()): Promise<PublishReport> {
  const lease = await waitForLease(ports);
  if (lease === null) return { outcome: 'not-needed', ...counts };
  let outcome: PublishReport['outcome'];
  try {
    outcome = await new PublishRun(ports, lease, counts).untilTimeIsUp();
  } catch (error) {
    // The error that ended the run matters more. A lease that cannot be released expires.
    await lease.release().catch(() => undefined);
    throw error;
  }
  await lease.release();
  return { outcome, ...counts };
}

async function waitForLease<Token>(ports: PublishPorts<Token>): Promise<HeldLease<Token> | null> {
  for (;;) {
    const lease = await ports.acquireLease();
    if (lease !== null || ports.remainingMillis() < handOverMillis + leasePollMillis) return lease;
    ports.working?.('standby');
    await ports.sleep(leasePollMillis);
  }
}

/** The state of one invocation that holds the lease. */
class PublishRun<Token> {
  readonly #ports: PublishPorts<Token>;
  readonly #lease: HeldLease<Token>;
  readonly #counts: PublishCounts;
  #leaseLost = false;
  /** A tail was lost, and no tail has made progress since. */
  #lostWithoutProgress = false;
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
        // Lost again without progress: the caller backs off.
        if (loss === null || this.#lostWithoutProgress) throw error;
        this.#lostWithoutProgress = true;
        this.#counts[loss === 'history-lost' ? 'historyLost' : 'steppedPast'] += 1;
        progress = null;
      }
    }
  }

  /**
   * Starts from the present. It saves the progress before anything is sent, so that the next
   * publisher starts with the same backlog and the same tail.
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
      while (!this.#leaseLost && this.#ports.remainingMillis() >= handOverMillis) {
        progress = await this.#publishNext(tail, progress);
        this.#ports.working?.('tail');
      }
    } finally {
      await tail.close();
    }
  }

  /**
   * Publishes a chunk of the backlog together with the tail's new events. Old events do not delay
   * new ones, and while there are old events, it does not wait for new ones.
   */
  async #publishNext(tail: Tail<Token>, progress: PublishProgress<Token>): Promise<PublishProgress<Token>> {
    if (this.#ports.waitForCapacity && !(await this.#ports.waitForCapacity())) {
      if (this.#isSaveDue()) await this.#save(progress);
      return progress;
    }
    const { backlog } = progress;
    const chunk = backlog === null ? null : await this.#ports.readBacklog(backlog);
    const { pointers, resumeToken } = chunk === null ? await tail.next() : await tail.poll();
    if (resumeToken !== null) this.#lostWithoutProgress = false;
    const all = chunk === null ? pointers : [...chunk.pointers, ...pointers];
    if (!(await this.#send(all, progress))) return progress;
    const next = { tail: resumeToken === null ? progress.tail : { resumeToken }, backlog: chunk?.rest ?? null };
    if (all.length > 0 || this.#isSaveDue()) {
      await this.#save(next);
      if (!this.#leaseLost) this.#counts.checkpoints += 1;
    }
    return next;
  }

  /**
   * Sends pointers; returns false if stopped. Meanwhile it renews the lease with the progress that
   * was saved last.
   */
  async #send(pointers: readonly Pointer[], progress: PublishProgress<Token>): Promise<boolean> {
    const maySend = async () => {
      if (this.#isSaveDue()) await this.#save(progress);
      return !this.#leaseLost && this.#ports.remainingMillis() >= stopSendingMillis;
    };
    const send: SendPacks = async (packs) => {
      const refused = await this.#ports.send(packs);
      const accepted = packs.filter((pack) => !refused.includes(pack));
      const published = accepted.flat();
      this.#counts.published += published.length;
      this.#counts.entries += accepted.length;
      this.#ports.log.published(published);
      return refused;
    };
    const report = await sendAll(pointers, { ...this.#ports, send, maySend });
    if (report.outcome === 'stopped') {
      // An outage that lasts until the time is up must still be reported as an outage.
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
    // Set before the save returns, because concurrent calls check whether a save is due.
    this.#savedAtRemaining = this.#ports.remainingMillis();
    if (!(await this.#lease.save(progress))) this.#leaseLost = true;
  }
}

function lossOf(error: unknown): LossCode | null {
  if (!(error instanceof Fault)) return null;
  return error.code === 'history-lost' || error.code === 'change-event-too-large' ? error.code : null;
}
