/**
 * Which messages of a batch are tried together, which alone, and which no more. What ends the process must not take its
 * neighbours with it, and must not be tried for ever; but only trials that really ended with their process count,
 * because an outage brings every message many times.
 */

import { inChunks } from '../runtime/in-chunks.ts';
import type { ReadMessage } from './queue-message.ts';
import type { BrokenTrials, PastFailures } from './trial.ts';

/** The messages of a batch, by how they are tried. */
export interface TrialPlan {
  readonly together: readonly ReadMessage[];
  /**
   * What ran out of time together, in ten groups; a group that does so again comes in ten groups once more, down to one
   * event.
   */
  readonly groups: readonly (readonly ReadMessage[])[];
  /**
   * One after the other, after the others: the least suspect first, so that one which ends the process every time does
   * not keep the others from their turn.
   */
  readonly alone: readonly ReadMessage[];
  /** Tried alone as often as may be, and never finished. */
  readonly givenUp: readonly ReadMessage[];
}

const slowGroups = 10;

/**
 * Plans the trials of a batch.
 *
 * @param failed the events that failed before, while the servers answered.
 */
export function planTrials(
  messages: readonly ReadMessage[],
  broken: ReadonlyMap<string, BrokenTrials>,
  failed: ReadonlyMap<string, PastFailures>,
  maxCrashes: number,
): TrialPlan {
  const together: ReadMessage[] = [];
  const slow: ReadMessage[] = [];
  const alone: ReadMessage[] = [];
  const givenUp: ReadMessage[] = [];
  for (const message of messages) {
    const trials = broken.get(message.eventId);
    const failures = failed.get(message.eventId);
    if (trials === undefined && failures === undefined) together.push(message);
    else if (trials === undefined && failures?.alone === false) slow.push(message);
    else if (trials === undefined || trials.alone < maxCrashes) alone.push(message);
    else givenUp.push(message);
  }
  const suspicion = ({ eventId }: ReadMessage) => {
    const trials = broken.get(eventId);
    return trials === undefined ? 0 : trials.alone * 1_000 + trials.together;
  };
  alone.sort((left, right) => suspicion(left) - suspicion(right));
  const slowness = ({ eventId }: ReadMessage) => failed.get(eventId)?.slow ?? 0;
  const groups = [...Map.groupBy(slow, slowness)]
    .sort(([left], [right]) => left - right)
    .flatMap(([, messages]) => inChunks(messages, Math.ceil(messages.length / slowGroups)));
  return { together, groups, alone, givenUp };
}
