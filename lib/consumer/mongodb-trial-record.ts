/**
 * Tracks the trials of one process. If recording the end of a trial failed, it retries before the
 * next read.
 */
import type { Collection } from 'mongodb';
import { beginTrial, endTrials, forgetTrials, readCrashedTrials, type TrialDocument } from './mongodb-trials.ts';
import type { CrashedTrials, Trial } from './trial.ts';

export class TrialRecord {
  readonly #trials: Collection<TrialDocument>;
  /**
   * Ended trials that MongoDB may still hold. Without this set, a MongoDB outage would look like a
   * crash.
   */
  readonly #ended = new Set<string>();

  constructor(trials: Collection<TrialDocument>) {
    this.#trials = trials;
  }

  begin(trial: Trial): Promise<string> {
    return beginTrial(this.#trials, trial);
  }

  async end(id: string): Promise<void> {
    this.#ended.add(id);
    await this.#removeEnded();
  }

  async readCrashed(eventIds: readonly string[]): Promise<ReadonlyMap<string, CrashedTrials>> {
    await this.#removeEnded();
    return readCrashedTrials(this.#trials, eventIds);
  }

  forget(eventIds: readonly string[]): Promise<void> {
    return forgetTrials(this.#trials, eventIds);
  }

  async #removeEnded(): Promise<void> {
    const ids = [...this.#ended];
    if (ids.length === 0) return;
    await endTrials(this.#trials, ids);
    for (const id of ids) this.#ended.delete(id);
  }
}
