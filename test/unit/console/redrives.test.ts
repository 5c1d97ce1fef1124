import { describe, expect, it, vi } from 'vitest';
import type { ChangeReport } from '../../../cli/throttle/change-in-chunks.ts';
import { Redrives } from '../../../console/server/redrives.ts';
import { Fault } from '../../../lib/contract/fault.ts';

const selection = { codes: ['payload-invalid'], aggregateTypes: [], eventIds: [] };
const plan = { events: 3, until: new Date(0) };

/** Redrives whose work the test completes. */
function startedRedrive() {
  const work = Promise.withResolvers<ChangeReport>();
  const tell = vi.fn();
  let progress: (changed: number) => void = () => undefined;
  const redrives = new Redrives((_selection, _plan, changed) => {
    progress = changed;
    return work.promise;
  }, tell);
  const begun = redrives.start(selection, plan);
  return { redrives, begun, tell, work, progress: (changed: number) => progress(changed) };
}

describe('a redrive of the console', () => {
  it('starts at once, and reports its progress and result under the same id', async () => {
    const { redrives, begun, tell, work, progress } = startedRedrive();
    expect(begun).toMatchObject({ changed: 0, events: 3, state: 'running' });
    progress(2);
    expect(redrives.last).toStrictEqual({ ...begun, changed: 2 });
    work.resolve({ changed: 3, outcome: 'done' });
    await redrives.ended();
    expect(tell.mock.calls).toStrictEqual([[{ ...begun, changed: 2 }], [{ ...begun, changed: 3, state: 'done' }]]);
  });

  it('says why and at which point it failed', async () => {
    const { redrives, begun, work, progress } = startedRedrive();
    progress(1);
    work.reject(new Fault('mongodb-unavailable', 'MongoDB is away'));
    await redrives.ended();
    const failure = { code: 'mongodb-unavailable', reason: 'MongoDB is away' };
    expect(redrives.last).toMatchObject({ id: begun.id, changed: 1, state: 'failed', failure });
  });

  it('refuses another one until it has finished', async () => {
    const { redrives, begun, work } = startedRedrive();
    expect(() => redrives.start(selection, plan)).toThrow('A redrive is running');
    work.resolve({ changed: 1, outcome: 'interrupted' });
    await redrives.ended();
    expect(redrives.last?.state).toBe('interrupted');
    expect(redrives.start(selection, plan).id).not.toBe(begun.id);
  });
});
