/**
 * The schedule of a chaos run, drawn from a seed: the same seed gives the same faults in the same
 * order after the same waits.
 */
import fc from 'fast-check';

/**
 * One lane for the servers, one for the processes of functions and writers, and one for messages
 * and connections. Servers have a pause between their faults, because a run with no working server
 * finds nothing.
 */
const lanes = [
  ['MongoDB primary killed', 'MongoDB primary paused', 'Neo4j killed', 'Neo4j paused'],
  ['publisher killed', 'publisher paused', 'consumer killed', 'consumer paused', 'sweep killed', 'writer killed'],
  [
    'MongoDB connections cut',
    'Neo4j connections cut',
    'commit ambiguous',
    'bus refuses',
    'bus answers fewer',
    'bus unreachable',
    'bus answer lost',
    'messages again',
    'message unreadable',
    'bad event written',
  ],
] as const;

export type FaultKind = (typeof lanes)[number][number];

/**
 * One fault. `waitMillis` is the wait after the previous one, `lengthMillis` the duration of a
 * fault that has one.
 */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly waitMillis: number;
  readonly lengthMillis: number;
  /** A number from 0 to 1 for further random choices of the fault. */
  readonly draw: number;
}

/**
 * Faults that happen one after another. Several lanes run at the same time, so that faults of
 * different parts coincide.
 */
export type Lane = readonly PlannedFault[];

const shortWait = { min: 500, max: 9_000 };
const waits = [{ min: 10_000, max: 30_000 }, shortWait, shortWait];

/** More faults than any run has time for. */
const faultsPerLane = 2_000;

/** Draws the lanes of a run. */
export function planChaos(seed: number): readonly Lane[] {
  return lanes.map((kinds, index) =>
    fc.sample(
      fc.record<PlannedFault>({
        kind: fc.constantFrom<FaultKind>(...kinds),
        waitMillis: fc.integer(waits[index] ?? shortWait),
        lengthMillis: fc.integer({ min: 500, max: 9_000 }),
        draw: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      }),
      { seed: seed + index, numRuns: faultsPerLane },
    ),
  );
}
