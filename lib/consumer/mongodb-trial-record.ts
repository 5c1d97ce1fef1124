/**
 * The consumer's trials as one process keeps them: an end that could not be written down is made up for before anything
 * is read.
 */
import type { Collection } from 'mongodb';
import { beginTrial, endTrials, forgetTrials, readBrokenTrials, type TrialDocument } from './mongodb-trials.ts';
import type { BrokenTrials, Trial } from './trial.ts';

export class TrialRecord {
  readonly #trials: Collection<TrialDocument>;
  /**
   * Trials that have ended: kept until MongoDB knows it, so that an outage of MongoDB does not look like a crash of the
   * process.
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
    await this.#writeEnds();
  }

  async readBroken(eventIds: readonly string[]): Promise<ReadonlyMap<string, BrokenTrials>> {
    await this.#writeEnds();
    return readBrokenTrials(this.#trials, eventIds);
  }

  forget(eventIds: readonly string[]): Promise<void> {
    return forgetTrials(this.#trials, eventIds);
  }

  async #writeEnds(): Promise<void> {
    const ids = [...this.#ended];
    if (ids.length === 0) return;
    await endTrials(this.#trials, ids);
    for (const id of ids) this.#ended.delete(id);
  }
}
