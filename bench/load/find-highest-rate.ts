/**
 * Searches for the highest rate that keeps up. It raises the rate in steps until a step does not
 * keep up, and then searches between the last two. Writers that are late write more documents in
 * one transaction, so that the search finds the limit of the path and not of the writers.
 */
import type { StepResult } from './run-step.ts';

/** The values by which a step is judged. */
type StepJudged = Pick<StepResult, 'asked' | 'together' | 'held' | 'growth' | 'lag' | 'events' | 'processed'>;

/** Why a step does not keep up; null if it does. */
export type Shortfall = 'writers are late' | 'backlog grows' | 'too slow' | 'not settled' | null;

/** The writers' commits per second, as a share of the requested rate. */
const heldShare = 0.98;

/** The backlog may grow by this share of the written events, because batches make it fluctuate. */
const growthShare = 0.1;

/** If the slowest hundredth of the events takes longer than this, the path does not keep up. */
export const slowMillis = 5_000;

const factor = 1.5;
const refinements = 2;
const maxSteps = 14;
const lowestRate = 1;

/** Documents in one transaction, one after the other. */
const maxTogether = 100;
const togetherFactor = 10;

/** Judges one step. */
export function shortfall({ asked, held, growth, lag, events, processed }: StepJudged): Shortfall {
  if (held < heldShare * asked) return 'writers are late';
  if (processed < events) return 'not settled';
  if (growth > growthShare * asked) return 'backlog grows';
  return lag.p99 > slowMillis ? 'too slow' : null;
}

export interface Search<Step> {
  /** Null if not even the lowest rate keeps up. */
  readonly highest: Step | null;
  readonly steps: readonly Step[];
}

/** Searches upwards from a step that keeps up, and downwards from one that does not. */
export async function findHighestRate<Step extends StepJudged>(
  first: Step,
  run: (rate: number, together: number) => Promise<Step>,
): Promise<Search<Step>> {
  const steps: Step[] = [];
  const keepsUp = (step: Step) => shortfall(step) === null;
  let { together } = first;
  const take = async (rate: number): Promise<Step> => {
    const step = await run(rate, together);
    steps.push(step);
    if (shortfall(step) !== 'writers are late' || together >= maxTogether) return step;
    together *= togetherFactor;
    return take(rate);
  };
  let good = keepsUp(first) ? first : null;
  let bad = good === null ? first : null;
  while ((good === null || bad === null) && steps.length < maxSteps) {
    const step: Step = await take(good === null ? (bad ?? first).asked / factor : good.asked * factor);
    if (keepsUp(step)) good = step;
    else bad = step;
    if (good === null && step.asked <= lowestRate) break;
  }
  for (let index = 0; index < refinements && good !== null && bad !== null; index += 1) {
    const step: Step = await take(Math.sqrt(good.asked * bad.asked));
    if (keepsUp(step)) good = step;
    else bad = step;
  }
  return { highest: good, steps };
}
