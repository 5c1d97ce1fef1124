import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { type HeldLease, type PublishPorts, publish, type TailedPointers } from '../../../lib/publish/publish.ts';

const pointer = (index: number): Pointer => ({
  eventId: index.toString(16).padStart(24, '0'),
  aggregateType: 'graph',
  aggregateId: `${index}`,
});

/** A publisher's world whose clock goes on by a second with each look at the tail. */
function world(batches: readonly (TailedPointers<number> | Fault)[], given: Partial<PublishPorts<number>> = {}) {
  let remaining = 60_000;
  const sent: string[] = [];
  const saved: (number | null)[] = [];
  const events: string[] = [];
  const queue = [...batches];
  const tail = {
    next: async (): Promise<TailedPointers<number>> => {
      remaining -= 10_000;
      const batch = queue.shift() ?? { pointers: [], resumeToken: 99 };
      if (batch instanceof Fault) throw batch;
      return batch;
    },
    close: async () => void events.push('closed'),
  };
  const lease: HeldLease<number> = {
    resumeToken: 1,
    save: async (token) => {
      saved.push(token);
      return true;
    },
    release: async () => void events.push('released'),
  };
  const ports: PublishPorts<number> = {
    acquireLease: async () => lease,
    tailFrom: () => tail,
    tailFromNow: async () => ({ tail, pending: toAsync([[pointer(7)], [pointer(8)]]) }),
    send: async (pointers) => {
      sent.push(...pointers.map((one) => one.aggregateId));
      return [];
    },
    sleep: async (millis) => {
      remaining -= millis;
    },
    random: () => 0.5,
    remainingMillis: () => remaining,
    log: {
      publishingPending: (code) => void events.push(`pending ${code}`),
      leftToSweep: (count) => void events.push(`left ${count}`),
    },
    ...given,
  };
  return { ports, sent, saved, events, lease };
}

async function* toAsync<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}

describe('the publisher', () => {
  it('saves a token only after what lies before it was sent', async () => {
    const order: string[] = [];
    const { ports, lease } = world([{ pointers: [pointer(1), pointer(2)], resumeToken: 2 }], {
      send: async () => {
        order.push('sent');
        return [];
      },
    });
    const save = async (token: number | null) => order.push(`saved ${token}`) > 0;
    await publish({ ...ports, acquireLease: async () => ({ ...lease, save }) });
    expect(order.slice(0, 2)).toStrictEqual(['sent', 'saved 2']);
  });

  it('saves the token also when nothing matched, so that a quiet outbox does not age out', async () => {
    const { ports, saved } = world([]);
    await publish(ports);
    expect(saved).toContain(99);
  });

  it('saves nothing when the bus is unreachable, and lets go of the lease', async () => {
    const { ports, saved, events } = world([{ pointers: [pointer(1)], resumeToken: 2 }], {
      send: async () => {
        throw new Fault('bus-unavailable', 'gone');
      },
    });
    await expect(publish(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect([saved, events]).toStrictEqual([[], ['closed', 'released']]);
  });

  it('sends refused entries again, and leaves to the sweep what the bus refuses for good', async () => {
    const { ports, saved, events } = world([{ pointers: [pointer(1), pointer(2)], resumeToken: 2 }], {
      send: async (pointers) => pointers.filter((one) => one.aggregateId === '2'),
    });
    expect(await publish(ports)).toMatchObject({ published: 1, refused: 1 });
    expect([saved[0], events]).toStrictEqual([2, ['left 1', 'closed', 'released']]);
  });

  it('without a token publishes every pending event, then follows the tail that was opened before', async () => {
    const { ports, sent, lease } = world([{ pointers: [pointer(9)], resumeToken: 2 }]);
    await publish({ ...ports, acquireLease: async () => ({ ...lease, resumeToken: null }) });
    expect(sent).toStrictEqual(['7', '8', '9']);
  });

  it('with a lost token does the same, and counts it', async () => {
    const { ports, sent, events } = world([new Fault('history-lost', '286')]);
    expect(await publish(ports)).toMatchObject({ outcome: 'handed-over', historyLost: 1 });
    expect([sent, events[1]]).toStrictEqual([['7', '8'], 'pending history-lost']);
  });

  it('stops at once when another publisher has taken the lease', async () => {
    const { ports, lease, sent } = world([
      { pointers: [pointer(1)], resumeToken: 2 },
      { pointers: [pointer(2)], resumeToken: 3 },
    ]);
    const report = await publish({ ...ports, acquireLease: async () => ({ ...lease, save: async () => false }) });
    expect([report.outcome, sent]).toStrictEqual(['lease-lost', ['1']]);
  });

  it('waits for the lease as long as its time allows, and then is not needed', async () => {
    const { ports } = world([], { acquireLease: async () => null });
    expect(await publish(ports)).toStrictEqual({ outcome: 'not-needed', published: 0, refused: 0, historyLost: 0 });
    expect(ports.remainingMillis()).toBeLessThan(6_000);
  });
});
