/**
 * Reads the status every few seconds, keeps the samples of the charts for reloads, and notifies its
 * listeners.
 */
import type { StatusReport } from '../../cli/status/status-report.ts';
import { describeError } from '../../lib/contract/fault.ts';
import type { Sample, Sent, StatusMessage } from '../messages.ts';

export interface HistoryPorts {
  readonly readStatus: () => Promise<StatusReport>;
  readonly now: () => number;
}

/** 15 minutes with one sample every 2 s. */
export const keptSamples = 450;

/** A slower read is reported as a failure, but still awaited. */
export const slowMillis = 6_000;

type Listener = (message: StatusMessage) => void;

export class History {
  readonly #ports: HistoryPorts;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<Listener>();
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

  /** Returns a function that removes the listener. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Called by a timer. Runs one read at a time. Reports a slow read, so that an old report does not
   * look current.
   */
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
    for (const listener of this.#listeners) listener(this.#last);
  }
}

function toSample(at: number, report: StatusReport | null): Sample {
  if (report === null) return { at, pending: null, settledPerSecond: null, p50Millis: null, p95Millis: null };
  const { pending, settledPerSecond, lag } = report;
  return { at, pending, settledPerSecond, p50Millis: lag?.p50Millis ?? null, p95Millis: lag?.p95Millis ?? null };
}
