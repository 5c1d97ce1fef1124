import { describe, expect, it } from 'vitest';
import type { StatusReport } from '../../../cli/status/status-report.ts';
import { History, keptSamples, slowMillis } from '../../../console/server/history.ts';
import { Fault } from '../../../lib/contract/fault.ts';

const report = (pending: number): StatusReport => ({
  at: new Date(1_000),
  verdict: 'in-step',
  reasons: [],
  pending,
  dead: 0,
  types: [],
  isCapped: false,
  queue: null,
  deadLetterQueue: null,
  publishers: [],
  lag: { events: 1, p50Millis: 12, p95Millis: 34, maxMillis: 56 },
  settledPerSecond: 7,
  lastSettledAt: null,
  canary: null,
});

/** A history with responses that a test defines, by a clock that it sets. */
function historyOf(answers: readonly (() => Promise<StatusReport>)[]) {
  const clock = { now: 0 };
  let readings = 0;
  const readStatus = () => {
    readings += 1;
    return (answers[readings - 1] ?? (async () => report(0)))();
  };
  return { clock, readings: () => readings, history: new History({ readStatus, now: () => clock.now }) };
}

describe('the history', () => {
  it('keeps samples for the charts, and the whole last report', async () => {
    const { history, clock } = historyOf([async () => report(3)]);
    clock.now = 5_000;
    await history.tick();
    const sample = { at: 5_000, pending: 3, settledPerSecond: 7, p50Millis: 12, p95Millis: 34 };
    expect(history.samples).toStrictEqual([sample]);
    expect(history.last).toMatchObject({ sample, failure: null, report: { at: '1970-01-01T00:00:01.000Z' } });
  });

  it('drops the oldest sample once it is full', async () => {
    const { history, clock } = historyOf([]);
    for (clock.now = 0; clock.now < keptSamples + 2; clock.now += 1) await history.tick();
    expect(history.samples).toHaveLength(keptSamples);
    expect(history.samples[0]?.at).toBe(2);
  });

  it('after a failed reading, has a gap in the charts, the old report and the reason', async () => {
    const failing = () => Promise.reject(new Fault('mongodb-unavailable', 'MongoDB does not answer.'));
    const { history } = historyOf([async () => report(3), failing, async () => report(4)]);
    await history.tick();
    await history.tick();
    expect(history.samples[1]).toMatchObject({ pending: null, p95Millis: null });
    const failure = { code: 'mongodb-unavailable', reason: 'MongoDB does not answer.' };
    expect(history.last).toMatchObject({ failure, report: { pending: 3 } });
    await history.tick();
    expect(history.last).toMatchObject({ failure: null, report: { pending: 4 } });
  });

  it('reports a foreign error only by its name', async () => {
    const { history } = historyOf([() => Promise.reject(new TypeError('mongodb://user:secret@host'))]);
    await history.tick();
    expect(history.last?.failure).toStrictEqual({ code: 'unexpected', reason: 'TypeError' });
  });

  it('runs one reading at a time, and says so if it takes too long', async () => {
    let answer: (value: StatusReport) => void = () => undefined;
    const slow = () =>
      new Promise<StatusReport>((resolve) => {
        answer = resolve;
      });
    const { history, clock, readings } = historyOf([slow]);
    const reading = history.tick();
    clock.now = slowMillis - 1;
    await history.tick();
    expect(history.last).toBeNull();
    clock.now = slowMillis;
    await history.tick();
    expect(history.last?.failure).toStrictEqual({ code: 'time-up', reason: 'The servers have not answered for 6 s.' });
    expect(readings()).toBe(1);
    answer(report(1));
    await reading;
    expect(history.last).toMatchObject({ failure: null, report: { pending: 1 } });
  });

  it('notifies listeners until they unsubscribe', async () => {
    const { history } = historyOf([]);
    const messages: unknown[] = [];
    const unsubscribe = history.listen((message) => messages.push(message));
    await history.tick();
    unsubscribe();
    await history.tick();
    expect(messages).toHaveLength(1);
  });
});
