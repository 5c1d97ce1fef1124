/**
 * One pass of the sweep in a process of its own, so that its memory can be told: the queue counts what it is sent.
 * Prints what the pass came to as one line of JSON.
 */
import { readSettings, sweepSettings } from '../../lib/runtime/settings.ts';
import type { SweepReport } from '../../lib/sweep/sweep.ts';
import { joinSweep } from '../../lib/sweep/wiring.ts';

/** What a pass came to. */
export interface SweepPass extends SweepReport {
  /** Pointers that the queue was sent. */
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
// Left open, so that whoever started this process can read its memory before it ends it.
process.stdin.resume();
process.stdin.on('end', () => process.exit());
