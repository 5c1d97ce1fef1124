import { describe, expect, it } from 'vitest';
import { findHighestRate, shortfall } from '../../../bench/load/find-highest-rate.ts';

const step = (asked: number, fields: Partial<Parameters<typeof shortfall>[0]> = {}) => ({
  asked,
  together: 1,
  held: asked,
  growth: 0,
  lag: { p50: 500, p95: 900, p99: 1_000, max: 1_200 },
  events: 100,
  processed: 100,
  ...fields,
});

/** A path that handles up to `limit` events per second. */
const path = (limit: number) => async (rate: number) => step(rate, { growth: Math.max(0, rate - limit) });

describe('a step', () => {
  it('keeps up if it holds its rate, its backlog is stable and its lags are short', () => {
    expect(shortfall(step(100, { held: 98, growth: 10 }))).toBeNull();
  });

  it('does not keep up if one of these fails', () => {
    expect(shortfall(step(100, { held: 97 }))).toBe('writers are late');
    expect(shortfall(step(100, { processed: 99 }))).toBe('not settled');
    expect(shortfall(step(100, { growth: 11 }))).toBe('backlog grows');
    expect(shortfall(step(100, { lag: { p50: 1, p95: 1, p99: 5_001, max: 6_000 } }))).toBe('too slow');
  });
});

describe('the search', () => {
  it('increases the rate by half until a step does not keep up, then tries rates between the last two', async () => {
    const { highest, steps } = await findHighestRate(step(100), path(200));
    expect(steps.map(({ asked }) => Math.round(asked))).toStrictEqual([150, 225, 184, 203]);
    expect(highest?.asked).toBeCloseTo(203.3, 0);
  });

  it('decreases the rate if the first step does not keep up', async () => {
    const run = path(50);
    const { highest, steps } = await findHighestRate(await run(100), run);
    expect(steps.map(({ asked }) => Math.round(asked))).toStrictEqual([67, 44, 54, 60]);
    expect(highest?.asked).toBeCloseTo(54.4, 0);
  });

  it('lets late writers write more documents in one transaction, and then repeats the rate', async () => {
    const writers = async (rate: number, together: number) => {
      const late = rate > 100 * together;
      return step(rate, { together, held: late ? 100 * together : rate, growth: Math.max(0, rate - 200) });
    };
    const { highest, steps } = await findHighestRate(step(100), writers);
    expect(steps.map(({ asked, together }) => `${Math.round(asked)} by ${together}`)).toStrictEqual([
      '150 by 1',
      '150 by 10',
      '225 by 10',
      '184 by 10',
      '203 by 10',
    ]);
    expect(highest?.asked).toBeCloseTo(203.3, 0);
  });

  it('ends if nothing keeps up, and if everything does', async () => {
    const none = await findHighestRate(step(10, { processed: 0 }), async (rate) => step(rate, { processed: 0 }));
    expect(none.highest).toBeNull();
    const all = await findHighestRate(step(10), async (rate) => step(rate));
    expect(all.steps).toHaveLength(14);
    expect(all.highest).toBe(all.steps.at(-1));
  });
});
