import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Pack } from '../../../lib/contract/pointer.ts';
import type { PublishProgress } from '../../../lib/publisher/progress.ts';
import { noCounts, publish } from '../../../lib/publisher/publish.ts';
import { pointer, position, world } from './world.ts';

const lost = () => new Fault('history-lost', '286');
const tooLarge = () => new Fault('change-event-too-large', '10334');
const began = { tail: { after: position(50) }, backlog: { until: position(50), after: null } };

describe('the publisher', () => {
  it('saves a token only after everything before it is sent', async () => {
    const order: string[] = [];
    const { withLease } = world([{ pointers: [pointer(1), pointer(2)], resumeToken: 2 }], {
      send: async () => {
        order.push('sent');
        return [];
      },
    });
    await publish(withLease({ save: async ({ tail }) => order.push(`saved ${JSON.stringify(tail)}`) > 0 }));
    expect(order.slice(0, 2)).toStrictEqual(['sent', 'saved {"resumeToken":2}']);
  });

  it('saves the token even if nothing matched, so that it does not expire in a quiet outbox', async () => {
    const { ports, saved } = world([]);
    await publish(ports);
    expect(saved).toContainEqual({ tail: { resumeToken: 99 }, backlog: null });
  });

  it('saves nothing if the bus is unreachable, and releases the lease', async () => {
    const { ports, saved, events } = world([{ pointers: [pointer(1)], resumeToken: 2 }], {
      send: async () => {
        throw new Fault('bus-unavailable', 'gone');
      },
      sleep: async () => undefined,
    });
    await expect(publish(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(saved.map(({ tail }) => tail)).not.toContainEqual({ resumeToken: 2 });
    expect(events).toStrictEqual(['opened behind 1', 'closed', 'released']);
  });

  it('fails if the bus is still unreachable when its time is up', async () => {
    const { ports, events } = world([{ pointers: [pointer(1)], resumeToken: 2 }], {
      send: async () => {
        throw new Fault('bus-unavailable', 'gone');
      },
    });
    const sleep = (millis: number) => ports.sleep(20 * millis);
    await expect(publish({ ...ports, sleep })).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(ports.remainingMillis()).toBeLessThan(8_000);
    expect(events.at(-1)).toBe('released');
  });

  it('reports the original error even if the lease cannot be released', async () => {
    const { withLease } = world([new Fault('mongodb-unavailable', 'the stream broke')]);
    const release = async () => {
      throw new Fault('mongodb-unavailable', 'no release');
    };
    await expect(publish(withLease({ release }))).rejects.toThrow('the stream broke');
  });

  it('counts what the bus accepted before it failed', async () => {
    const { ports } = world([{ pointers: Array.from({ length: 11 }, (_, index) => pointer(index)), resumeToken: 2 }], {
      send: async (packs) => {
        if (packs.length === 1) throw new Fault('bus-unavailable', 'gone');
        return [];
      },
      sleep: async () => undefined,
    });
    const counts = noCounts();
    await expect(publish(ports, counts)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(counts.published).toBe(10);
  });

  it('leaves permanently refused pointers to the sweep, and continues', async () => {
    const { ports, saved, events, published } = world([{ pointers: [pointer(1), pointer(2)], resumeToken: 2 }], {
      send: async (packs) => packs.filter(([one]) => one?.aggregateId === '2'),
    });
    expect(await publish(ports)).toMatchObject({ published: 1, refused: 1 });
    expect(saved).toContainEqual({ tail: { resumeToken: 2 }, backlog: null });
    expect(published).toStrictEqual(['1']);
    expect(events).toContain('left 2');
  });

  it('stops at once if another publisher has acquired the lease', async () => {
    const { withLease, sent } = world([
      { pointers: [pointer(1)], resumeToken: 2 },
      { pointers: [pointer(2)], resumeToken: 3 },
    ]);
    const report = await publish(withLease({ save: async () => false }));
    expect({ outcome: report.outcome, checkpoints: report.checkpoints, sent }).toStrictEqual({
      outcome: 'lease-lost',
      checkpoints: 0,
      sent: ['1'],
    });
  });

  it('reads nothing while the sink is full, but renews the lease without moving the checkpoint', async () => {
    const { ports, sent, saved, passTime } = world([{ pointers: [pointer(1)], resumeToken: 2 }]);
    let waits = 0;
    const waitForCapacity = async () => {
      passTime(1_000);
      waits += 1;
      return waits > 10;
    };
    const renewed: number[] = [];
    const send = async (packs: readonly Pack[]) => {
      renewed.push(saved.length);
      return ports.send(packs);
    };
    await publish({ ...ports, send, waitForCapacity });
    expect(sent).toStrictEqual(['1']);
    expect(renewed).toStrictEqual([6]);
    expect(saved.slice(0, 6)).toStrictEqual(Array(6).fill({ tail: { resumeToken: 1 }, backlog: null }));
  });

  it('waits for the lease as long as its time allows, then ends as not needed', async () => {
    const { ports } = world([], { acquireLease: async () => null });
    expect(await publish(ports)).toStrictEqual({ outcome: 'not-needed', ...noCounts() });
    expect(ports.remainingMillis()).toBeLessThan(11_000);
  });
});

describe('a publisher with slow sends', () => {
  const slowBus = (passTime: (millis: number) => void, sent: string[]) => ({
    send: async (packs: readonly Pack[]) => {
      sent.push(`sent ${packs[0]?.[0]?.aggregateId}`);
      passTime(3_000);
      return [];
    },
  });
  const thirtyCalls = Array.from({ length: 300 }, (_, index) => pointer(index));

  it('renews its lease in between, without moving its checkpoint', async () => {
    const order: string[] = [];
    const { withLease, passTime } = world([{ pointers: thirtyCalls, resumeToken: 2 }]);
    const save = async ({ tail }: PublishProgress<number>) => order.push(JSON.stringify(tail)) > 0;
    await publish({ ...withLease({ save }), ...slowBus(passTime, order) });
    expect(order.filter((one) => one === '{"resumeToken":1}').length).toBeGreaterThan(5);
    expect(order).not.toContain('{"resumeToken":2}');
  });

  it('stops as lease-lost without moving its checkpoint if another one has taken over', async () => {
    const order: string[] = [];
    const { withLease, passTime } = world([{ pointers: thirtyCalls, resumeToken: 2 }]);
    const ports = { ...withLease({ save: async () => false }), ...slowBus(passTime, order) };
    expect(await publish(ports)).toMatchObject({ outcome: 'lease-lost', checkpoints: 0 });
    expect(order.length).toBeLessThan(30);
  });

  it('starts no call that would not end in time, and keeps the checkpoint for its successor', async () => {
    const order: string[] = [];
    const { ports, saved, passTime } = world([{ pointers: thirtyCalls, resumeToken: 2 }]);
    expect(await publish({ ...ports, ...slowBus(passTime, order) })).toMatchObject({ outcome: 'handed-over' });
    expect(order.length).toBeLessThan(30);
    expect(ports.remainingMillis()).toBeLessThan(8_000);
    expect(saved.map(({ tail }) => tail)).not.toContainEqual({ resumeToken: 2 });
  });
});

describe('a publisher without a checkpoint', () => {
  it('saves its start before it sends anything', async () => {
    const order: unknown[] = [];
    const { withLease } = world([]);
    const ports = withLease({ progress: null, save: async (progress) => order.push(progress) > 0 });
    const send = async () => {
      order.push('sent');
      return [];
    };
    await publish({ ...ports, send });
    expect(order.slice(0, 2)).toStrictEqual([began, 'sent']);
  });

  it('publishes the backlog and the tail alternately, and saves both at once', async () => {
    const { withLease, sent, saved, events } = world([
      { pointers: [pointer(51)], resumeToken: null },
      { pointers: [pointer(52)], resumeToken: 2 },
    ]);
    expect(await publish(withLease({ progress: null }))).toMatchObject({ published: 4, historyLost: 0 });
    expect(sent).toStrictEqual(['7', '51', '8', '52']);
    expect(events.slice(0, 2)).toStrictEqual(['pending null', `opened after ${position(50)}`]);
    expect(saved.slice(0, 3)).toStrictEqual([
      began,
      { tail: { after: position(50) }, backlog: { until: position(50), after: position(7) } },
      { tail: { resumeToken: 2 }, backlog: null },
    ]);
  });

  it('saves the start of the tail if the backlog ends before there is a token', async () => {
    const none = { pointers: [], resumeToken: null };
    const { withLease, saved } = world([none, none]);
    await publish(withLease({ progress: null }));
    expect(saved[2]).toStrictEqual({ tail: { after: position(50) }, backlog: null });
    expect(saved.at(-1)).toStrictEqual({ tail: { resumeToken: 99 }, backlog: null });
  });

  it('continues a backlog where another publisher left it', async () => {
    const { withLease, sent, events } = world([]);
    await publish(
      withLease({ progress: { tail: { resumeToken: 5 }, backlog: { until: position(50), after: position(7) } } }),
    );
    expect(sent).toStrictEqual(['8']);
    expect(events[0]).toBe('opened behind 5');
  });
});

describe('a publisher whose tail cannot continue', () => {
  it.each([
    ['history was lost', lost, { historyLost: 1, steppedPast: 0 }, 'pending history-lost'],
    ['an event is too large', tooLarge, { historyLost: 0, steppedPast: 1 }, 'pending change-event-too-large'],
  ])('starts again if %s, and counts it', async (_, fault, counts, logged) => {
    const { ports, sent, saved, events } = world([fault()]);
    expect(await publish(ports)).toMatchObject({ outcome: 'handed-over', ...counts });
    expect(sent).toStrictEqual(['7', '8']);
    expect(saved[0]).toStrictEqual(began);
    expect(events).toContain(logged);
  });

  it('also restarts the backlog if that happens in the middle of it', async () => {
    const { withLease, sent } = world([{ pointers: [], resumeToken: 2 }, lost()]);
    await publish(withLease({ progress: null }));
    expect(sent).toStrictEqual(['7', '7', '8']);
  });

  it('lets its caller wait if it is lost again at once', async () => {
    const { ports, events } = world([lost(), lost()]);
    await expect(publish(ports)).rejects.toMatchObject({ code: 'history-lost' });
    expect(events.at(-1)).toBe('released');
  });

  it('starts again each time if it made progress in between', async () => {
    const { ports } = world([lost(), { pointers: [], resumeToken: 2 }, tooLarge()]);
    expect(await publish(ports)).toMatchObject({ historyLost: 1, steppedPast: 1 });
  });
});
