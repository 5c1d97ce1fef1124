import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { untilBacklogIsShort } from '../../../demo/until-drained.ts';

const { signal } = new AbortController();

it('writers wait while more than 2,000 events are pending, and then continue', async () => {
  const progress = { written: 5_000, pending: 2_001 };
  let isWaiting = true;
  const waiting = untilBacklogIsShort(progress, signal).then(() => {
    isWaiting = false;
  });
  await sleep(150);
  expect(isWaiting).toBe(true);
  progress.pending = 2_000;
  await waiting;
  expect(isWaiting).toBe(false);
});

it('an interrupted run ends the wait', async () => {
  const interrupted = new AbortController();
  const waiting = untilBacklogIsShort({ written: 0, pending: 9_999 }, interrupted.signal);
  interrupted.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});
