/** The functions that the console's server uses to reach the databases. */
import type { DeadSelection } from '../../cli/dead/dead-event.ts';
import type { AggregateView } from '../../cli/show/aggregate-view.ts';
import type { StatusReport } from '../../cli/status/status-report.ts';
import type { ChangeReport } from '../../cli/throttle/change-in-chunks.ts';
import type { DeadMessage, RedrivePlan } from '../messages.ts';

/**
 * `unknown`: there is no document, no event, and nothing in the graph. `interrupted`: the console
 * is ending.
 */
export type ViewAnswer =
  | { readonly outcome: 'viewed'; readonly view: AggregateView }
  | { readonly outcome: 'type-unknown' | 'unknown' | 'interrupted' };

export interface ConsolePorts {
  /** The names of the databases. */
  readonly stage: string;
  /** The types with documents. */
  readonly aggregateTypes: readonly string[];
  readonly readStatus: () => Promise<StatusReport>;
  readonly listDead: () => Promise<DeadMessage>;
  readonly planRedrive: (selection: DeadSelection) => Promise<RedrivePlan>;
  readonly redrive: (
    selection: DeadSelection,
    plan: RedrivePlan,
    progress: (changed: number) => void,
  ) => Promise<ChangeReport>;
  readonly viewAggregate: (aggregateType: string, aggregateId: string) => Promise<ViewAnswer>;
}
