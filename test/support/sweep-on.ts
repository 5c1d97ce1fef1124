/**
 * The sweep on a real outbox, with a clock and a queue that the test provides, and a graph without
 * tombstones.
 */
import type { Db } from 'mongodb';
import { type SweepOptions, type SweepPorts, type SweepReport, sweep } from '../../lib/sweep/sweep.ts';
import { joinOutbox } from '../../lib/sweep/wiring.ts';
import { silentLog } from './silent-log.ts';

/** Where the sweep sends pointers, and which time it uses. */
export type Given = Partial<SweepPorts> & Pick<SweepPorts, 'sendToQueue'>;

/** Runs one pass. If a part fails, the pass fails. */
export async function sweepOn(db: Db, given: Given, options: Partial<SweepOptions> = {}): Promise<SweepReport> {
  const ports: SweepPorts = {
    ...joinOutbox(db),
    countBacklog: async () => 0,
    isWaiting: () => false,
    checkGraph: async () => undefined,
    listTombstones: async () => [],
    holdTombstones: async () => undefined,
    removeTombstones: async () => 0,
    remainingMillis: () => 60_000,
    random: Math.random,
    log: silentLog,
    ...given,
  };
  const usual = { staleSeconds: 60, maxAttempts: 12, pointersPerEntry: 1, tombstoneRetentionDays: 30 };
  const report = await sweep(ports, { ...usual, ...options });
  if (report.failures.length > 0) throw report.failures[0];
  return report;
}
