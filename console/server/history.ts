/**
 * Asks for the status every few seconds, keeps what the charts show, and tells who listens. A page that is loaded anew
 * has the last minutes at once.
 */

import type { StatusReport } from '../../cli/status/status-report.ts';
import { describeError } from '../../lib/contract/fault.ts';
import type { Sample, Sent, StatusMessage } from '../messages.ts';

export interface HistoryPorts {
  readonly readStatus: () => Promise<StatusReport>;
  readonly now: () => number;
}

/** Keeps so many samples: 15 minutes at one each 2 s. */
export const keptSamples = 450;

/** A status that is not read by then is told as such; it is waited for on. */
export const slowMillis = 6_000;

type Tell = (message: StatusMessage) => void;

export class History {
  readonly #ports: HistoryPorts;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<Tell>();
  #report: Sent<StatusReport> | null = null;
  #last: StatusMessage | null = null;
  #readingSince: number | null = null;

  constructor(ports: HistoryPorts) {
    this.#ports = ports;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get last(): StatusMessage | null {
    return this.#last;
  }

  /** Returns how to listen no more. */
  listen(tell: Tell): () => void {
    this.#listeners.add(tell);
    return () => void this.#listeners.delete(tell);
  }

  /** Called by a clock. One reading at a time; a slow one is told, so that nobody takes an old report for a new one. */
  async tick(): Promise<void> {
    const { readStatus, now } = this.#ports;
    if (this.#readingSince !== null) {
      const waited = now() - this.#readingSince;
      const reason = `The servers have not answered for ${Math.round(waited / 1000)} s.`;
      if (waited >= slowMillis) this.#add(null, { code: 'time-up', reason });
      return;
    }
    this.#readingSince = now();
    try {
      const report = await readStatus();
      this.#add(report, null);
    } catch (error) {
      this.#add(null, describeError(error));
    } finally {
      this.#readingSince = null;
    }
  }

  #add(report: StatusReport | null, failure: StatusMessage['failure']): void {
    if (report !== null) this.#report = JSON.parse(JSON.stringify(report)) as Sent<StatusReport>;
    const sample = toSample(this.#ports.now(), report);
    this.#samples.push(sample);
    if (this.#samples.length > keptSamples) this.#samples.shift();
    this.#last = { sample, report: this.#report, failure };
    for (const tell of this.#listeners) tell(this.#last);
  }
}

function toSample(at: number, report: StatusReport | null): Sample {
  if (report === null) return { at, pending: null, settledPerSecond: null, p50Millis: null, p95Millis: null };
  const { pending, settledPerSecond, lag } = report;
  return { at, pending, settledPerSecond, p50Millis: lag?.p50Millis ?? null, p95Millis: lag?.p95Millis ?? null };
}
