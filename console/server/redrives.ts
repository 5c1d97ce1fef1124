/**
 * Runs redrives. With many dead events, a redrive takes minutes: it outlives requests and reloads
 * of the page.
 */
import { randomUUID } from 'node:crypto';
import type { DeadSelection } from '../../cli/dead/dead-event.ts';
import { describeError } from '../../lib/contract/fault.ts';
import type { RedriveMessage, RedrivePlan } from '../messages.ts';
import { HttpError } from './answer.ts';
import type { ConsolePorts } from './console-ports.ts';

export class Redrives {
  readonly #redrive: ConsolePorts['redrive'];
  readonly #report: (message: RedriveMessage) => void;
  #last: RedriveMessage | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(redrive: ConsolePorts['redrive'], report: (message: RedriveMessage) => void) {
    this.#redrive = redrive;
    this.#report = report;
  }

  /** The running redrive, or the most recent one; null before the first. */
  get last(): RedriveMessage | null {
    return this.#last;
  }

  /**
   * Returns immediately, and reports the progress.
   *
   * @throws HttpError 409 while another redrive is running: two redrives of the same events would
   * miscount.
   */
  start(selection: DeadSelection, plan: RedrivePlan): RedriveMessage {
    if (this.#last?.state === 'running') throw new HttpError(409, 'A redrive is running: wait until it ends.');
    const started = { id: randomUUID(), changed: 0, events: plan.events, state: 'running', failure: null } as const;
    this.#last = started;
    this.#running = this.#run(started, selection, plan);
    return started;
  }

  /** Resolves when no redrive is running. The caller interrupts it. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(started: RedriveMessage, selection: DeadSelection, plan: RedrivePlan): Promise<void> {
    let latest = started;
    const report = (change: Partial<RedriveMessage>) => {
      latest = { ...latest, ...change };
      this.#last = latest;
      this.#report(latest);
    };
    try {
      const { changed, outcome } = await this.#redrive(selection, plan, (changed) => report({ changed }));
      report({ changed, state: outcome });
    } catch (error) {
      report({ state: 'failed', failure: describeError(error) });
    }
  }
}
