import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { concurrentCalls, type SendOptions, sendAll } from '../../../lib/publisher/send-all.ts';
import { pointer } from './world.ts';

const pointers = (count: number) => Array.from({ length: count }, (_, index) => pointer(index));
const gone = () => new Fault('bus-unavailable', 'gone');

/** Options that record every wait. */
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

describe('sending all pointers', () => {
  it('resends only refused pointers, with back-off, and gives up after five attempts without success', async () => {
    const calls: number[] = [];
    const { waits, all } = options(async (packs) => {
      calls.push(packs.length);
      return packs.filter(([one]) => one?.aggregateId === '3');
    });
    expect(await sendAll(pointers(10), all)).toStrictEqual({ outcome: 'done', refused: [pointer(3)] });
    expect(calls).toStrictEqual([10, 1, 1, 1, 1, 1]);
    expect(waits).toStrictEqual([200, 400, 800, 1600, 3200]);
  });

  it('sends everything even if two of three calls fail', async () => {
    const accepted: Pointer[] = [];
    let calls = 0;
    const { all } = options(async (packs) => {
      calls += 1;
      if (calls % 3 !== 0) throw gone();
      accepted.push(...packs.flat());
      return [];
    });
    expect(await sendAll(pointers(500), all)).toStrictEqual({ outcome: 'done', refused: [] });
    expect(new Set(accepted).size).toBe(500);
    expect(accepted).toHaveLength(500);
  });

  it('starts no call after a failed one until it has waited', async () => {
    let calls = 0;
    const { all, waits } = options(async () => {
      calls += 1;
      throw gone();
    });
    await expect(sendAll(pointers(500), all)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(calls).toBeLessThanOrEqual(5 * concurrentCalls);
    expect(waits).toHaveLength(4);
  });

  it('stops before the next call if it may not continue, with no call running', async () => {
    let remainingCalls = 3;
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
          remainingCalls -= 1;
          return remainingCalls >= 0;
        },
      },
    );
    expect(await sendAll(pointers(100), all)).toStrictEqual({ outcome: 'stopped', failure: undefined });
    expect(underWay).toBe(0);
  });

  it('does not count pointers as refused that it could not send in time', async () => {
    let time = 2;
    const { all } = options(async (packs) => packs, {
      maySend: async () => {
        time -= 1;
        return time >= 0;
      },
    });
    expect(await sendAll(pointers(1), all)).toStrictEqual({ outcome: 'stopped', failure: undefined });
  });

  it('reports the failure of the bus if stopped in an outage', async () => {
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
