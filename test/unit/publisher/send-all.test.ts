import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { concurrentCalls, type SendOptions, sendAll } from '../../../lib/publisher/send-all.ts';
import { pointer } from './world.ts';

const pointers = (count: number) => Array.from({ length: count }, (_, index) => pointer(index));
const gone = () => new Fault('bus-unavailable', 'gone');

/** Options that note every wait. */
function options(send: SendOptions['send'], given: Partial<SendOptions> = {}) {
  const waits: number[] = [];
  const all: SendOptions = {
    send,
    pointersPerEntry: 1,
    maySend: async () => true,
    sleep: async (millis) => void waits.push(millis),
    random: () => 0.5,
    ...given,
  };
  return { waits, all };
}

describe('sending all', () => {
  it('sends again only what was refused, with growing waits, and gives up after five attempts that sent nothing', async () => {
    const calls: number[] = [];
    const { waits, all } = options(async (packs) => {
      calls.push(packs.length);
      return packs.filter(([one]) => one?.aggregateId === '3');
    });
    expect(await sendAll(pointers(10), all)).toStrictEqual({ outcome: 'done', refused: [pointer(3)] });
    expect(calls).toStrictEqual([10, 1, 1, 1, 1, 1]);
    expect(waits).toStrictEqual([200, 400, 800, 1600, 3200]);
  });

  it('gets everything through a bus that fails two of three calls', async () => {
    const taken: Pointer[] = [];
    let calls = 0;
    const { all } = options(async (packs) => {
      calls += 1;
      if (calls % 3 !== 0) throw gone();
      taken.push(...packs.flat());
      return [];
    });
    expect(await sendAll(pointers(500), all)).toStrictEqual({ outcome: 'done', refused: [] });
    expect(new Set(taken).size).toBe(500);
    expect(taken).toHaveLength(500);
  });

  it('begins no further call after one has failed, until it has waited', async () => {
    let calls = 0;
    const { all, waits } = options(async () => {
      calls += 1;
      throw gone();
    });
    await expect(sendAll(pointers(500), all)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(calls).toBeLessThanOrEqual(5 * concurrentCalls);
    expect(waits).toHaveLength(4);
  });

  it('stops before the next call when it may not go on, with no call left under way', async () => {
    let left = 3;
    let underWay = 0;
    const { all } = options(
      async () => {
        underWay += 1;
        await Promise.resolve();
        underWay -= 1;
        return [];
      },
      {
        maySend: async () => {
          left -= 1;
          return left >= 0;
        },
      },
    );
    expect(await sendAll(pointers(100), all)).toStrictEqual({ outcome: 'stopped', failure: undefined });
    expect(underWay).toBe(0);
  });

  it('does not take what it could not send in time for refused', async () => {
    let time = 2;
    const { all } = options(async (packs) => packs, {
      maySend: async () => {
        time -= 1;
        return time >= 0;
      },
    });
    expect(await sendAll(pointers(1), all)).toStrictEqual({ outcome: 'stopped', failure: undefined });
  });

  it('says what the bus failed with when it is stopped in the middle of an outage', async () => {
    let time = 2;
    const { all } = options(
      async () => {
        throw gone();
      },
      {
        maySend: async () => {
          time -= 1;
          return time >= 0;
        },
      },
    );
    expect(await sendAll(pointers(1), all)).toMatchObject({ outcome: 'stopped', failure: { code: 'bus-unavailable' } });
  });
});
