import { describe, expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { type CanaryPorts, sendCanary } from '../../../lib/sweep/canary.ts';
import { ago, now } from './sweep-ports.ts';

const position = toPosition({ t: 7, i: 1 });

function cage(given: Partial<CanaryPorts>) {
  const settled: string[] = [];
  const written: Date[] = [];
  const ports: CanaryPorts = {
    readLastCanary: async () => null,
    readWaitingCanaries: async () => ({ pending: 0, oldest: null }),
    settleCanariesBefore: async (before) => settled.push(before),
    writeCanary: async (createdAt) => void written.push(createdAt),
    ...given,
  };
  return { ports, settled, written };
}

describe('the canary', () => {
  it("is written in every run, with the server's time; the first one has no lag yet", async () => {
    const { ports, written } = cage({});
    expect(await sendCanary(ports, now)).toBeNull();
    expect(written).toStrictEqual([now]);
  });

  it('reports its lag once processed, and settles those before it', async () => {
    const last = { position, createdAt: ago(60), processedAt: ago(58.5) };
    const { ports, settled, written } = cage({ readLastCanary: async () => last });
    expect(await sendCanary(ports, now)).toBe(1_500);
    expect({ settled, written }).toStrictEqual({ settled: [position], written: [now] });
  });

  it('reports the age of the oldest pending one while pending, and settles none', async () => {
    const { ports, settled } = cage({
      readLastCanary: async () => ({ position, createdAt: ago(60), processedAt: null }),
      readWaitingCanaries: async () => ({ pending: 2, oldest: ago(120) }),
    });
    expect(await sendCanary(ports, now)).toBe(120_000);
    expect(settled).toStrictEqual([]);
  });

  it('has no negative lag if the clocks of two servers differ', async () => {
    const { ports } = cage({ readWaitingCanaries: async () => ({ pending: 1, oldest: ago(-3) }) });
    expect(await sendCanary(ports, now)).toBe(0);
  });

  it.each([
    [9, 1],
    [10, 0],
  ])('is one of at most ten pending: with %i pending, %i more is written', async (pending, count) => {
    const { ports, written } = cage({ readWaitingCanaries: async () => ({ pending, oldest: ago(600) }) });
    await sendCanary(ports, now);
    expect(written).toHaveLength(count);
  });
});
