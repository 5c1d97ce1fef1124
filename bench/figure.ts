/** The result of a benchmark. */
import type { ServerName, Servers } from '../tools/local/servers.ts';
import type { Comparison, Rate } from './compare.ts';

/** One line of the table. */
export interface Figure {
  readonly figure: string;
  readonly ratio: Rate;
  /** The minimum ratio that is wanted. */
  readonly goal: number | null;
  /** The rates behind the ratio, in items per second. */
  readonly rates: readonly Rate[];
  readonly unit: string;
}

/** A benchmark: the servers that it needs, and its measurements on them. */
export interface Benchmark {
  readonly name: string;
  readonly needs: readonly ServerName[];
  /** Runs only if it is asked for by name: it downloads more, or takes long. */
  readonly onRequest?: true;
  readonly run: (servers: Servers, options: BenchmarkOptions) => Promise<readonly Figure[]>;
}

export interface BenchmarkOptions {
  /** Aggregates in the large graph of the benchmark `size`. */
  readonly aggregates: number;
}

/** The figure of one contender, by default the second, against the first. */
export function againstFirst(
  { rates, ratios }: Comparison,
  about: Pick<Figure, 'figure' | 'goal' | 'unit'>,
  index = 1,
): Figure {
  return { ...about, ratio: ratios[index] as Rate, rates: [rates[index] as Rate, rates[0] as Rate] };
}
