/**
 * Runs one pass of the sweep in a separate process, so that its memory can be measured. The queue
 * counts the pointers it is sent. Prints the result as one line of JSON.
 */
import { readSettings, sweepSettings } from '../../lib/runtime/settings.ts';
import type { SweepReport } from '../../lib/sweep/sweep.ts';
import { joinSweep } from '../../lib/sweep/wiring.ts';

/** The result of a pass. */
export interface SweepPass extends SweepReport {
  /** Number of pointers sent to the queue. */
  readonly sent: number;
  readonly millis: number;
}

const { PASS_MILLIS = '0' } = process.env;

let sent = 0;
const sweeper = joinSweep(readSettings(sweepSettings.omit({ QUEUE_URL: true }), process.env), {
  sendToQueue: async (packs) => {
    sent += packs.flat().length;
    return [];
  },
  countBacklog: async () => 0,
  pointersPerEntry: 1,
  close: () => undefined,
});
const startedAt = performance.now();
const millis = () => performance.now() - startedAt;
const report = await sweeper.sweep(() => Number(PASS_MILLIS) - millis());
const pass: SweepPass = { ...report, sent, millis: millis() };
process.stdout.write(`${JSON.stringify(pass)}\n`);
// Keeps running, so that the parent process can read its memory before it stops it.
process.stdin.resume();
process.stdin.on('end', () => process.exit());
