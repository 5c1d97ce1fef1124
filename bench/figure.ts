/** What a benchmark answers with. */
import type { ServerName, Servers } from '../tools/local/servers.ts';
import type { Comparison, Rate } from './compare.ts';

/** One line of the table. */
export interface Figure {
  readonly figure: string;
  readonly ratio: Rate;
  /** The ratio that is wanted: at least this much. */
  readonly goal: number | null;
  /** What stands behind the ratio, in items per second. */
  readonly rates: readonly Rate[];
  readonly unit: string;
}

/** A benchmark: the servers it needs, and what it measures on them. */
export interface Benchmark {
  readonly name: string;
  readonly needs: readonly ServerName[];
  readonly run: (servers: Servers) => Promise<readonly Figure[]>;
}

/** The figure of one contender, the second if not said otherwise, against the first. */
export function againstFirst(
  { rates, ratios }: Comparison,
  about: Pick<Figure, 'figure' | 'goal' | 'unit'>,
  index = 1,
): Figure {
  return { ...about, ratio: ratios[index] as Rate, rates: [rates[index] as Rate, rates[0] as Rate] };
}
