/**
 * The sweep's flow: sends a canary, measures, republishes stale events, marks events dead that can
 * never be settled, and purges old tombstones. It is the safety net under every other part. It
 * works in bounded passes, stops before its time is up, and continues in the next pass. An
 * unavailable server prevents only the steps that need it.
 */
import type { DataFaultCode } from '../contract/fault.ts';
import { type CanaryPorts, sendCanary } from './canary.ts';
import { type MeasurePorts, measure, type OutboxFigures } from './measure.ts';
import { purgeTombstones, type TombstonePorts } from './purge-tombstones.ts';
import {
  type RepublishLog,
  type RepublishOptions,
  type RepublishPorts,
  type RepublishReport,
  republish,
} from './republish.ts';

/** The ports of `sweep`. */
export interface SweepPorts extends RepublishPorts, CanaryPorts, MeasurePorts, TombstonePorts {
  /**
   * Marks pending events dead that no pointer can name or whose position is in the future, up to a
   * limit. Reports each of them.
   */
  readonly endUnreachable: (reported: (eventId: string, code: DataFaultCode) => void) => Promise<number>;
  /**
   * Throws if the graph belongs to another outbox or is ahead of this one. Its tombstones must then
   * not be purged.
   */
  readonly checkGraph: () => Promise<void>;
  readonly log: SweepLog;
}

/** Log of single events. */
export interface SweepLog extends RepublishLog {
  /** No pointer can name it, or a writer set its position: it is dead. */
  readonly eventUnreachable: (eventId: string, code: DataFaultCode) => void;
}

export interface SweepOptions extends RepublishOptions {
  readonly tombstoneRetentionDays: number;
}

/** Null if the step failed. */
type Republished = { readonly [Figure in keyof RepublishReport]: number | null };

/** The result of one pass; null if a step failed or there is no value. */
export interface SweepReport extends OutboxFigures, Republished {
  readonly canaryLagMillis: number | null;
  /** Dead, because no pointer can name them or their position is in the future. */
  readonly unreachable: number | null;
  readonly tombstonesPurged: number | null;
  /** Errors of failed steps. Their completed work stays, and the next pass continues. */
  readonly failures: readonly unknown[];
}

/**
 * Runs one pass.
 *
 * @throws Fault `mongodb-unavailable`: without the outbox there is nothing to report.
 */
export async function sweep(ports: SweepPorts, options: SweepOptions): Promise<SweepReport> {
  const now = await ports.readServerTime();
  const canaryLagMillis = await sendCanary(ports, now);
  const { figures, pendingCanaries } = await measure(ports, now);
  const failures: unknown[] = [];
  const unlessItFails = async <Result>(part: () => Promise<Result>) => {
    try {
      return await part();
    } catch (error) {
      failures.push(error);
      return null;
    }
  };
  const unreachable = await unlessItFails(() => ports.endUnreachable(ports.log.eventUnreachable));
  const republished = await unlessItFails(() =>
    republish(ports, options, { events: figures.pending, canaries: pendingCanaries }),
  );
  const tombstonesPurged = await unlessItFails(async () => {
    await ports.checkGraph();
    return purgeTombstones(ports, options.tombstoneRetentionDays);
  });
  return { ...figures, canaryLagMillis, unreachable, ...(republished ?? notRepublished), tombstonesPurged, failures };
}

const notRepublished: Republished = {
  republished: null,
  refused: null,
  exhausted: null,
  leftToQueue: null,
  queueBacklog: null,
};
