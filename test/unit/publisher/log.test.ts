import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { publishLog } from '../../../lib/publisher/log.ts';

const quiet = { warn: () => undefined, error: () => undefined, debug: () => undefined, level: 12 };

// Makes Powertools write to the test's console.
beforeEach(() => {
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it.each([
  ['history-lost', 'HistoryLost'],
  ['change-event-too-large', 'ChangeEventsTooLarge'],
] as const)('emits a loss of the tail at once and separately: %s', (code, metric) => {
  const written = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const metrics = new Metrics({ namespace: 'Test' });
  metrics.addMetric('EventsPublished', 'Count', 7);
  publishLog(quiet, metrics).publishingPending(code);
  expect(written).toHaveBeenCalledTimes(1);
  const line = JSON.parse(String(written.mock.calls[0]?.[0]));
  expect(line).toMatchObject({ [metric]: 1 });
  expect(line).not.toHaveProperty('EventsPublished');
  metrics.clearMetrics();
});

it('logs a fault with its code and message, and any other error only by its name', () => {
  const logged: unknown[] = [];
  const log = publishLog({ ...quiet, error: (_, ...about) => void logged.push(...about) }, new Metrics());
  log.publishingFailed(new Fault('bus-unavailable', 'EventBridge request failed.'), 100);
  log.publishingFailed(new TypeError('mongodb://user:secret@host'), null);
  expect(logged).toStrictEqual([
    { code: 'bus-unavailable', reason: 'EventBridge request failed.', retryMillis: 100 },
    { code: 'unexpected', reason: 'TypeError', retryMillis: null },
  ]);
});
