import { expect, it } from 'vitest';
import { measure } from '../../../lib/sweep/measure.ts';
import { ago, fakeOutbox, now } from './sweep-ports.ts';

const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

it.each([
  [[], null, null],
  [[7], 7, 7],
  [[30, 10, 20], 20, 30],
  [hundred, 50, 99],
  [[...hundred, 1_000], 51, 100],
  [[-5], 0, 0],
])('lags %j have the median %s and the 99th percentile %s', async (lags, p50, p99) => {
  const { ports } = fakeOutbox([], { readApplyLags: async () => lags });
  const { figures } = await measure(ports, now);
  expect({ applyLagP50Millis: figures.applyLagP50Millis, applyLagP99Millis: figures.applyLagP99Millis }).toStrictEqual({
    applyLagP50Millis: p50,
    applyLagP99Millis: p99,
  });
});

it("ages use the server's clock and are never negative", async () => {
  const { ports } = fakeOutbox([], {
    countOutbox: async () => ({ pending: 4, pendingCanaries: 2, dead: 3, oldestPending: ago(90) }),
    readPublisherActivity: async () => ago(-1),
  });
  expect(await measure(ports, now)).toMatchObject({
    figures: { pending: 4, dead: 3, oldestPendingSeconds: 90, publisherSilenceSeconds: 0 },
    pendingCanaries: 2,
  });
});

it('has no silence without a publisher, and no age without pending events', async () => {
  const { figures } = await measure(fakeOutbox([]).ports, now);
  expect(figures).toMatchObject({ publisherSilenceSeconds: null, oldestPendingSeconds: 0 });
});
