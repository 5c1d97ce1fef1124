/**
 * The sweep on a real outbox, with a clock of the test's own and a queue that the test gives; its graph has no
 * tombstones.
 */
import type { Db } from 'mongodb';
import { type SweepOptions, type SweepPorts, type SweepReport, sweep } from '../../lib/sweep/sweep.ts';
import { joinOutbox } from '../../lib/sweep/wiring.ts';
import { silentLog } from './silent-log.ts';

/** What the sweep does with what it sends, and what time it takes it to be. */
export type Given = Partial<SweepPorts> & Pick<SweepPorts, 'sendToQueue'>;

/** Runs one pass. A part that fails fails the pass. */
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
