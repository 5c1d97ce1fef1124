import { expect, it } from 'vitest';
import type { StatusReport } from '../../../cli/status/status-report.ts';
import { statusText } from '../../../cli/status/text.ts';

const at = new Date('2026-11-25T12:00:00Z');
const ago = (seconds: number) => new Date(at.getTime() - seconds * 1_000);

const quiet: StatusReport = {
  at,
  verdict: 'in-step',
  reasons: [],
  pending: 0,
  dead: 0,
  types: [],
  isCapped: false,
  queue: null,
  deadLetterQueue: null,
  publishers: [],
  lag: null,
  settledPerSecond: 0,
  lastSettledAt: null,
  canary: null,
};

it('for a new stage, says what has not run yet and which settings are missing', () => {
  expect(statusText(quiet)).toBe(`In step.  (2026-11-25T12:00:00Z, by MongoDB's clock)

No event is pending or dead.

settled       0 a second over the last minute; none in the outbox
lag           nothing was settled in the last minute
canary        none: the sweep has not run here recently
queue         unknown: QUEUE_URL is not set
dead letters  unknown: DEAD_LETTER_QUEUE_URL is not set
publisher     none has ever run here (an Atlas Trigger does not count)`);
});

it('for a stage with a backlog, says why it is not in step, with pending events by type and all counts', () => {
  const text = statusText({
    ...quiet,
    verdict: 'catching-up',
    reasons: ['Many wait.', 'In the queue.'],
    pending: 40_000,
    dead: 1,
    types: [
      { aggregateType: 'book', pending: 0, oldestPendingAt: null, dead: 1 },
      { aggregateType: 'person', pending: 10_000, oldestPendingAt: ago(185), dead: 0 },
    ],
    isCapped: true,
    queue: { visible: 1_234, inFlight: 5, delayed: 0 },
    deadLetterQueue: { visible: 0, inFlight: 0, delayed: 0 },
    publishers: [
      { id: 'publisher/0', owner: 'one', leaseExpiresAt: ago(-12), updatedAt: ago(1), hasBacklog: true, workers: null },
      { id: 'publisher/10', owner: null, leaseExpiresAt: ago(90), updatedAt: null, hasBacklog: false, workers: null },
      { id: 'worker/0', owner: 'workers', leaseExpiresAt: ago(-14), updatedAt: ago(1), hasBacklog: false, workers: 2 },
    ],
    lag: { events: 1_204, p50Millis: 120, p95Millis: 800, maxMillis: 2_100 },
    settledPerSecond: 12.34,
    lastSettledAt: ago(0.4),
    canary: { writtenAt: ago(24), processedAt: ago(23.7) },
  });
  expect(text).toBe(`Catching up.  (2026-11-25T12:00:00Z, by MongoDB's clock)
  - Many wait.
  - In the queue.
    Why events are dead: outgraph dead list

type    pending  oldest         dead
book          0                    1
person   10,000  3 min 5 s ago     0
(only the oldest are counted by type; in total 40,000 pending, 1 dead)

settled       12 a second over the last minute; the last 400 ms ago
lag           half within 120 ms, 95 % within 800 ms, all within 2.1 s (1,204 events of the last minute)
canary        written 24 s ago, applied after 300 ms
queue         about 1,234 waiting, 5 in flight, 0 delayed
dead letters  about 0 waiting, 0 in flight, 0 delayed
publisher/0   its lease is held for another 12 s; progress saved 1.0 s ago; publishing a backlog by index
publisher/10  its lease is free; no progress yet
worker/0      its lease is held by 2 workers for another 14 s; renewed 1.0 s ago`);
});
