import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { noCounts, type PublishCounts, type PublishReport } from '../../../lib/publisher/publish.ts';
import { publishUntilTimeIsUp, type RetryPorts } from '../../../lib/publisher/publish-until-time-is-up.ts';

const gone = () => new Fault('bus-unavailable', 'gone');
const report = (outcome: PublishReport['outcome'], counts: PublishCounts): PublishReport => ({ outcome, ...counts });

/** Each attempt takes a second. */
function persistence(attempt: (number: number, counts: PublishCounts) => PublishReport, remainingMillis = 60_000) {
  let remaining = remainingMillis;
  let attempts = 0;
  const waits: number[] = [];
  const said: string[] = [];
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
        void said.push(`${error instanceof Fault ? error.code : error} ${retryMillis}`),
      leaseLost: () => void said.push('lease lost'),
    },
  };
  return { ports, waits, said, remaining: () => remaining, attempts: () => attempts };
}

describe('publishing until the time is up', () => {
  it('goes on after a fault, says so, and ends well', async () => {
    const { ports, said } = persistence((number, counts) => {
      if (number === 1) throw gone();
      counts.checkpoints += 1;
      return report('handed-over', counts);
    });
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'handed-over' });
    expect(said).toStrictEqual(['bus-unavailable 100']);
  });

  it('waits twice as long each time, up to five seconds, and ends with the fault in time', async () => {
    const { ports, waits, said, remaining } = persistence(() => {
      throw gone();
    });
    await expect(publishUntilTimeIsUp(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
    expect(waits.slice(0, 8)).toStrictEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    expect(remaining()).toBeGreaterThanOrEqual(9_000);
    expect(said.at(-1)).toBe('bus-unavailable null');
  });

  it('waits only a moment again after something was published', async () => {
    const { ports, waits } = persistence((number, counts) => {
      if (number === 5 || number === 7) counts.checkpoints += 1;
      if (number < 7) throw gone();
      return report('handed-over', counts);
    });
    await publishUntilTimeIsUp(ports);
    expect(waits).toStrictEqual([100, 200, 400, 800, 100, 200]);
  });

  it('waits at least half as long when chance has it', async () => {
    const { ports, waits } = persistence((number, counts) => {
      if (number === 1) throw gone();
      counts.checkpoints += 1;
      return report('handed-over', counts);
    });
    await publishUntilTimeIsUp({ ...ports, random: () => 0 });
    expect(waits).toStrictEqual([50]);
  });

  it('stands by after it has lost the lease', async () => {
    const { ports, said, attempts } = persistence((number, counts) =>
      report(number === 1 ? 'lease-lost' : 'not-needed', counts),
    );
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'not-needed' });
    expect(said).toStrictEqual(['lease lost']);
    expect(attempts()).toBe(2);
  });

  it('does not stand by when its time is up', async () => {
    const { ports, attempts } = persistence((_, counts) => report('lease-lost', counts), 10_500);
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'lease-lost' });
    expect(attempts()).toBe(1);
  });

  it('ends with the fault, too, when what came after it had no time left to publish anything', async () => {
    const { ports } = persistence((number, counts) => {
      if (number === 1) throw gone();
      return report('handed-over', counts);
    });
    await expect(publishUntilTimeIsUp(ports)).rejects.toMatchObject({ code: 'bus-unavailable' });
  });

  it('ends well when another one holds the lease in the end', async () => {
    const { ports } = persistence((number, counts) => {
      if (number === 1) throw gone();
      return report('not-needed', counts);
    });
    expect(await publishUntilTimeIsUp(ports)).toMatchObject({ outcome: 'not-needed' });
  });

  it('leaves the counts of all attempts to its caller, also when it fails', async () => {
    const counts = noCounts();
    const { ports } = persistence((_, soFar) => {
      soFar.published += 5;
      throw gone();
    }, 11_500);
    await expect(publishUntilTimeIsUp(ports, counts)).rejects.toBeInstanceOf(Fault);
    expect(counts.published).toBe(10);
  });
});
