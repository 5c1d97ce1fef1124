/** What a benchmark answers with. */
import type { Servers } from '../infra/local/servers.ts';
import type { Rate } from './compare.ts';

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
  readonly needs: readonly ('mongodb' | 'neo4j' | 'localstack')[];
  readonly run: (servers: Servers, signal: AbortSignal) => Promise<readonly Figure[]>;
}
