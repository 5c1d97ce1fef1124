import { expect, it } from 'vitest';
import { chunkFor, createPace } from '../../../cli/throttle/pace.ts';

/** A clock that advances while sleeping, and by hand for work. */
function testClock() {
  const clock = { time: 1_000, slept: 0 };
  const sleep = async (millis: number) => {
    clock.time += millis;
    clock.slept += millis;
  };
  return { clock, ports: { now: () => clock.time, sleep } };
}

it('100 items at 50 per second take two seconds', async () => {
  const { clock, ports } = testClock();
  const pace = createPace(50, ports);
  for (let chunk = 0; chunk < 10; chunk += 1) await pace(10);
  expect(clock.time - 1_000).toBeCloseTo(2_000);
});

it('work slower than the pace waits for at most one chunk, and does not catch up afterwards', async () => {
  const { clock, ports } = testClock();
  const pace = createPace(50, ports);
  await pace(10);
  clock.time += 60_000;
  const before = clock.slept;
  await pace(10);
  await pace(10);
  expect(clock.slept - before).toBeCloseTo(400);
});

it.each([
  [5_000, 500],
  [100, 10],
  [0.5, 1],
])('at %d per second, a chunk has %d items', (perSecond, items) => {
  expect(chunkFor(perSecond, 500)).toBe(items);
});
