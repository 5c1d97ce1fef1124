/**
 * The sweep's flow: sends a canary, measures, publishes again what has been pending too long, ends what can never be
 * settled, and purges old tombstones. It is the safety net under every other part, so it works in bounded passes, stops
 * before its time is up, and goes on where it stopped the next time; a server that is away keeps it from that server's
 * part only.
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

/** What the sweep needs. */
export interface SweepPorts extends RepublishPorts, CanaryPorts, MeasurePorts, TombstonePorts {
  /**
   * Marks pending events dead that no pointer leads to, or that have a position in the future; says of each what it
   * was, and of a few at once.
   */
  readonly endUnreachable: (reported: (eventId: string, code: DataFaultCode) => void) => Promise<number>;
  /** Throws where the graph is not this outbox's, or ahead of it: its tombstones are not ours to purge. */
  readonly checkGraph: () => Promise<void>;
  readonly log: SweepLog;
}

/** What the sweep says of single events. */
export interface SweepLog extends RepublishLog {
  /** No pointer leads to it, or its position is a writer's own: it is dead. */
  readonly eventUnreachable: (eventId: string, code: DataFaultCode) => void;
}

export interface SweepOptions extends RepublishOptions {
  readonly tombstoneRetentionDays: number;
}

/** Null where the part failed. */
type Republished = { readonly [Figure in keyof RepublishReport]: number | null };

/** What one pass came to; null where a part failed, or where there is nothing to tell. */
export interface SweepReport extends OutboxFigures, Republished {
  readonly canaryLagMillis: number | null;
  /** Dead, because no pointer leads to them or their position lies in the future. */
  readonly unreachable: number | null;
  readonly tombstonesPurged: number | null;
  /** Why parts failed: what was done by then stays done, and the next pass goes on. */
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
