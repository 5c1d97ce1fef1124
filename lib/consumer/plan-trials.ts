/**
 * Decides which messages of a batch are tried together, which on their own, and which not at all. A
 * poison message must neither fail its neighbours nor be retried forever. Only trials that ended in
 * a crash count, because an outage redelivers every message many times.
 */

import { inChunks } from '../runtime/in-chunks.ts';
import type { ReadMessage } from './queue-message.ts';
import type { CrashedTrials, PastFailures } from './trial.ts';

/** The messages of a batch, by how they are tried. */
export interface TrialPlan {
  readonly together: readonly ReadMessage[];
  /**
   * Events that ran out of time together, in ten groups. A group that runs out of time again is
   * split into ten smaller ones, down to single events.
   */
  readonly groups: readonly (readonly ReadMessage[])[];
  /**
   * Tried one at a time, after the rest. The least suspect comes first, so that an event that
   * always crashes the process does not block the others.
   */
  readonly alone: readonly ReadMessage[];
  /** Crashed on their own the maximum number of times. */
  readonly exhausted: readonly ReadMessage[];
}

const slowGroups = 10;

/**
 * Plans the trials of a batch.
 *
 * @param failed past failures of events that failed while the servers responded.
 */
export function planTrials(
  messages: readonly ReadMessage[],
  crashed: ReadonlyMap<string, CrashedTrials>,
  failed: ReadonlyMap<string, PastFailures>,
  maxCrashes: number,
): TrialPlan {
  const together: ReadMessage[] = [];
  const slow: ReadMessage[] = [];
  const alone: ReadMessage[] = [];
  const exhausted: ReadMessage[] = [];
  for (const message of messages) {
    const trials = crashed.get(message.eventId);
    const failures = failed.get(message.eventId);
    const isSlow = (failures?.slow ?? 0) > 0;
    const hasFailed = failures !== undefined && failures.failures !== null;
    if (trials === undefined && !hasFailed && !isSlow) together.push(message);
    else if (trials === undefined && !hasFailed) slow.push(message);
    else if (trials === undefined || trials.alone < maxCrashes) alone.push(message);
    else exhausted.push(message);
  }
  const suspicion = ({ eventId }: ReadMessage) => {
    const trials = crashed.get(eventId);
    return trials === undefined ? 0 : trials.alone * 1_000 + trials.together;
  };
  alone.sort((left, right) => suspicion(left) - suspicion(right));
  const slowness = ({ eventId }: ReadMessage) => failed.get(eventId)?.slow ?? 0;
  const groups = [...Map.groupBy(slow, slowness)]
    .sort(([left], [right]) => left - right)
    .flatMap(([, messages]) => inChunks(messages, Math.ceil(messages.length / slowGroups)));
  return { together, groups, alone, exhausted };
}
