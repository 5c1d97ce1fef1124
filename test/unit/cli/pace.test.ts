import { expect, it } from 'vitest';
import { chunkFor, createPace } from '../../../cli/throttle/pace.ts';

/** A clock that sleeping moves on, and that work moves on by hand. */
function testClock() {
  const clock = { time: 1_000, slept: 0 };
  const sleep = async (millis: number) => {
    clock.time += millis;
    clock.slept += millis;
  };
  return { clock, ports: { now: () => clock.time, sleep } };
}

it('a hundred items at fifty a second take two seconds', async () => {
  const { clock, ports } = testClock();
  const pace = createPace(50, ports);
  for (let part = 0; part < 10; part += 1) await pace(10);
  expect(clock.time - 1_000).toBeCloseTo(2_000);
});

it('work that is slower than the pace is not made to wait more than one part, and does not hurry after it', async () => {
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
])('at %d a second, parts are of %d items', (perSecond, items) => {
  expect(chunkFor(perSecond, 500)).toBe(items);
});
