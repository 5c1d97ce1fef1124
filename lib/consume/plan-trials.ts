/**
 * Which messages of a batch are tried together, which alone, and which no more. What ends the process must not take its neighbours with it, and must not be tried for ever;
 * but only trials that really ended with their process count, because an outage brings every message many times.
 */
import type { BrokenTrials } from '../contract/trial.ts';
import type { ReadMessage } from './queue-message.ts';

/** The messages of a batch, by how they are tried. */
export interface TrialPlan {
  readonly together: readonly ReadMessage[];
  /** One after the other, after the others: the least suspect first, so that one which ends the process every time does not keep the others from their turn. */
  readonly alone: readonly ReadMessage[];
  /** Tried alone as often as may be, and never finished. */
  readonly givenUp: readonly ReadMessage[];
}

/**
 * Plans the trials of a batch.
 *
 * @param failed the events that failed on their own before, while the servers answered.
 */
export function planTrials(
  messages: readonly ReadMessage[],
  broken: ReadonlyMap<string, BrokenTrials>,
  failed: ReadonlySet<string>,
  maxCrashes: number,
): TrialPlan {
  const together: ReadMessage[] = [];
  const alone: ReadMessage[] = [];
  const givenUp: ReadMessage[] = [];
  for (const message of messages) {
    const trials = broken.get(message.eventId);
    if (trials === undefined && !failed.has(message.eventId)) together.push(message);
    else if (trials === undefined || trials.alone < maxCrashes) alone.push(message);
    else givenUp.push(message);
  }
  const suspicion = ({ eventId }: ReadMessage) => {
    const trials = broken.get(eventId);
    return trials === undefined ? 0 : trials.alone * 1_000 + trials.together;
  };
  alone.sort((left, right) => suspicion(left) - suspicion(right));
  return { together, alone, givenUp };
}
