/**
 * What happens in a chaos run, and when: drawn from a seed, so that the same seed gives the same faults in the same
 * order after the same waits.
 */
import fc from 'fast-check';

/**
 * One lane for the servers, one for the functions' and writers' processes, one for what travels between them. Servers
 * have a while between their faults: nothing is found out where nothing works.
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
 * One fault; `waitMillis` passes between the end of the one before and this, which lasts for `lengthMillis` where it
 * has a length.
 */
export interface PlannedFault {
  readonly kind: FaultKind;
  readonly waitMillis: number;
  readonly lengthMillis: number;
  /** From 0 to 1, for what else the fault has to choose. */
  readonly draw: number;
}

/** Faults that happen one after the other. Several lanes run at once, so that faults of different parts meet. */
export type Lane = readonly PlannedFault[];

const shortWait = { min: 500, max: 9_000 };
const waits = [{ min: 10_000, max: 30_000 }, shortWait, shortWait];

/** More than any run has time for. */
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
