/**
 * Compares contenders in one run. They are interleaved, on the same server and with the same data,
 * so that a disturbance affects all of them.
 */

/** One way to do the same work. */
export interface Contender {
  readonly name: string;
  /**
   * Does the work of one round, and returns the number of items. `round` names new data. Only this
   * is timed.
   */
  readonly run: (round: number) => Promise<number>;
  /** Runs before a round, and is not timed. */
  readonly prepare?: (round: number) => Promise<void>;
}

/** Items per second over all rounds: the median, and the range of the middle half of the rounds. */
export interface Rate {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  readonly rates: readonly Rate[];
  /**
   * For each contender: its rate divided by the rate of the first contender in the same round. The
   * median over all rounds, with the middle half.
   */
  readonly ratios: readonly Rate[];
}

/**
 * Runs each contender once per round, in alternating order. The first `warmUp` rounds do not count.
 */
export async function compare(
  contenders: readonly Contender[],
  { rounds, warmUp = 2 }: { readonly rounds: number; readonly warmUp?: number },
): Promise<Comparison> {
  const rates = contenders.map((): number[] => []);
  for (let round = 0; round < rounds + warmUp; round += 1) {
    const order = contenders.map((contender, index) => ({ contender, index }));
    if (round % 2 === 1) order.reverse();
    for (const { contender, index } of order) {
      await contender.prepare?.(round);
      const startedAt = performance.now();
      const items = await contender.run(round);
      const seconds = (performance.now() - startedAt) / 1000;
      if (round >= warmUp) rates[index]?.push(items / seconds);
    }
  }
  const base = rates[0] ?? [];
  return {
    rates: contenders.map(({ name }, index) => spread(name, rates[index] ?? [])),
    ratios: contenders.map(({ name }, index) =>
      spread(
        name,
        (rates[index] ?? []).map((rate, round) => rate / (base[round] ?? Number.NaN)),
      ),
    ),
  };
}

/** The median and the middle half of some values. */
export function spread(name: string, values: readonly number[]): Rate {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { name, median: at(0.5), low: at(0.25), high: at(0.75) };
}
