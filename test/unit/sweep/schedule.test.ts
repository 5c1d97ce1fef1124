import { describe, expect, it } from 'vitest';
import { scheduleAttempt } from '../../../lib/sweep/schedule.ts';
import { ago, now } from './sweep-ports.ts';

const at = { now, settledUntil: null, random: () => 0.5 };

describe('the back-off', () => {
  it.each([
    [0, 30],
    [1, 60],
    [4, 480],
    [5, 900],
    [12, 900],
    [5_000, 900],
  ])('after %i attempts is %i seconds', (attempts, seconds) => {
    expect(scheduleAttempt({ attempts, nextAttemptAt: null }, at).nextAttemptAt).toStrictEqual(ago(-seconds));
  });

  it.each([
    [0, 22.5],
    [1, 37.5],
  ])('varies by a quarter: random number %f makes the first one %f seconds', (chance, seconds) => {
    const { nextAttemptAt } = scheduleAttempt({ attempts: 0, nextAttemptAt: null }, { ...at, random: () => chance });
    expect(nextAttemptAt).toStrictEqual(ago(-seconds));
  });
});

describe('an attempt counts', () => {
  const settledAt = ago(10);
  it.each([
    ['if it is the first', null, null, 4],
    ['if an event was settled since the last one ended', ago(11), settledAt, 4],
    ['not if nothing was settled since then', ago(10), settledAt, 3],
    ['not if nothing was ever settled', ago(11), null, 3],
  ])('%s', (_, nextAttemptAt, settledUntil, attempts) => {
    expect(scheduleAttempt({ attempts: 3, nextAttemptAt }, { ...at, settledUntil }).attempts).toBe(attempts);
  });
});
