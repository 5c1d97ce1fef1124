/** What the console's server needs of the rest: functions that know the databases. */
import type { AggregateView } from '../../lib/operate/aggregate-view.ts';
import type { StatusReport } from '../../lib/operate/status-report.ts';
import type { DeadList, RedriveChoice, RedrivePlan, RedriveProgress, RedriveResult } from '../messages.ts';

export interface ConsolePorts {
  /** What is looked at, in words. */
  readonly stage: string;
  /** The types whose documents can be looked at. */
  readonly aggregateTypes: readonly string[];
  readonly readStatus: () => Promise<StatusReport>;
  readonly listDead: () => Promise<DeadList>;
  readonly planRedrive: (choice: RedriveChoice) => Promise<RedrivePlan>;
  readonly redrive: (
    choice: RedriveChoice,
    plan: RedrivePlan,
    progress: (progress: RedriveProgress) => void,
  ) => Promise<RedriveResult>;
  /** Null where no such type is declared. */
  readonly viewAggregate: (aggregateType: string, aggregateId: string) => Promise<AggregateView | null>;
}
