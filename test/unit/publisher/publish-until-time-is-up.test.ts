import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { noCounts, type PublishCounts, type PublishReport } from '../../../lib/publisher/publish.ts';
import { publishUntilTimeIsUp, type RetryPorts } from '../../../lib/publisher/publish-until-time-is-up.ts';

const gone = () => new Fault('bus-unavailable', 'gone');
const report = (outcome: PublishReport['outcome'], counts: PublishCounts): PublishReport => ({ outcome, ...counts });

/** The ports of a retry, whose attempts take a second each. */
function retryPorts(attempt: (number: number, counts: PublishCounts) => PublishReport, remainingMillis = 60_000) {
  let remaining = remainingMillis;
  let attempts = 0;
  const waits: number[] = [];
  const logged: string[] = [];
  const ports: RetryPorts = {
    publishOnce: async (counts) => {
      remaining -= 1_000;
      attempts += 1;
      return attempt(attempts, counts);
    },
    sleep: async (millis) => {
      waits.push(millis);
      remaining -= millis;
    },
    random: () => 1,
    remainingMillis: () => remaining,
    log: {
      publishingFailed: (error, retryMillis) =>
        void logged.push(`${error instanceof Fault ? error.code : error} ${retryMillis}`),
      leaseLost: () => void logged.push('lease lost'),
    },
  };
  return { ports, waits, logged, remaining: () => remaining, attempts: () => attempts };
}

describe('publishing until the time is up', () => {
  it('continues after a fault, logs it, and succeeds', async () => {
    const { ports, logged } = retryPorts((number, counts) => {
      if (number === 1) throw gone();
      counts.checkpoints += 1;
      return report('handed-over', counts);
    });
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'handed-over' });
    expect(logged).toStrictEqual(['bus-unavailable 100']);
  });

  it('doubles its wait each time, up to five seconds, and fails in time', async () => {
    const { ports, waits, logged, remaining } = retryPorts(() => {
      throw gone();
    });
    await expect(publishUntilTimeIsUp(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(waits.slice(0, 8)).toStrictEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(remaining()).toBeGreaterThanOrEqual(9_000);
    expect(logged.at(-1)).toBe('bus-unavailable null');
  });

  it('resets its wait once something was published', async () => {
    const { ports, waits } = retryPorts((number, counts) => {
      if (number === 5 || number === 7) counts.checkpoints += 1;
      if (number < 7) throw gone();
      return report('handed-over', counts);
    });
    await publishUntilTimeIsUp(ports);
    expect(waits).toStrictEqual([100, 200, 400, 800, 100, 200]);
  });

  it('waits at least half the time with jitter', async () => {
    const { ports, waits } = retryPorts((number, counts) => {
      if (number === 1) throw gone();
      counts.checkpoints += 1;
      return report('handed-over', counts);
    });
    await publishUntilTimeIsUp({ ...ports, random: () => 0 });
    expect(waits).toStrictEqual([50]);
  });

  it('waits for the lease again after losing it', async () => {
    const { ports, logged, attempts } = retryPorts((number, counts) =>
      report(number === 1 ? 'lease-lost' : 'not-needed', counts),
    );
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'not-needed' });
    expect(logged).toStrictEqual(['lease lost']);
    expect(attempts()).toBe(2);
  });

  it('does not wait for the lease if its time is up', async () => {
    const { ports, attempts } = retryPorts((_, counts) => report('lease-lost', counts), 10_500);
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'lease-lost' });
    expect(attempts()).toBe(1);
  });

  it('fails if the attempts after a fault had no time to publish anything', async () => {
    const { ports } = retryPorts((number, counts) => {
      if (number === 1) throw gone();
      return report('handed-over', counts);
    });
    await expect(publishUntilTimeIsUp(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
  });

  it('succeeds if another publisher has the lease at the end', async () => {
    const { ports } = retryPorts((number, counts) => {
      if (number === 1) throw gone();
      return report('not-needed', counts);
    });
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'not-needed' });
  });

  it('passes the counts of all attempts to its caller, even if it fails', async () => {
    const counts = noCounts();
    const { ports } = retryPorts((_, soFar) => {
      soFar.published += 5;
      throw gone();
    }, 11_500);
    await expect(publishUntilTimeIsUp(ports, counts)).rejects.toBeInstanceOf(Fault);
    expect(counts.published).toBe(10);
  });
});
