/**
 * Runs redrives, which take minutes where many events died: longer than a browser waits for an answer, and on while the
 * page is loaded anew.
 */
import { randomUUID } from 'node:crypto';
import type { DeadSelection } from '../../cli/dead/dead-event.ts';
import { describeError } from '../../lib/contract/fault.ts';
import type { RedriveMessage, RedrivePlan } from '../messages.ts';
import { HttpError } from './answer.ts';
import type { ConsolePorts } from './console-ports.ts';

export class Redrives {
  readonly #redrive: ConsolePorts['redrive'];
  readonly #tell: (message: RedriveMessage) => void;
  #last: RedriveMessage | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(redrive: ConsolePorts['redrive'], tell: (message: RedriveMessage) => void) {
    this.#redrive = redrive;
    this.#tell = tell;
  }

  /** The one that is under way, or the last one; null before the first. */
  get last(): RedriveMessage | null {
    return this.#last;
  }

  /**
   * Returns at once; how it goes is told.
   *
   * @throws HttpError 409 while another one is under way: two of the same events would each count what the other
   * changed.
   */
  start(selection: DeadSelection, plan: RedrivePlan): RedriveMessage {
    if (this.#last?.state === 'running') throw new HttpError(409, 'A redrive is under way: wait for its end.');
    const begun = { id: randomUUID(), changed: 0, events: plan.events, state: 'running', failure: null } as const;
    this.#last = begun;
    this.#running = this.#run(begun, selection, plan);
    return begun;
  }

  /** Resolves when none is under way; it is the caller's part to interrupt it. */
  async ended(): Promise<void> {
    await this.#running;
  }

  async #run(begun: RedriveMessage, selection: DeadSelection, plan: RedrivePlan): Promise<void> {
    let latest = begun;
    const tell = (change: Partial<RedriveMessage>) => {
      latest = { ...latest, ...change };
      this.#last = latest;
      this.#tell(latest);
    };
    try {
      const { changed, outcome } = await this.#redrive(selection, plan, (changed) => tell({ changed }));
      tell({ changed, state: outcome });
    } catch (error) {
      tell({ state: 'failed', failure: describeError(error) });
    }
  }
}
