/** Following the outbox over whatever may happen, on a stream of the test's own. */
import { expect, it } from 'vitest';
import { type FollowPorts, follow } from '../../../cli/tail/follow.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Position } from '../../../lib/contract/position.ts';

const begin = { after: '1' as Position };

/** What each read brings: a change, nothing, or a fault; then the reader is interrupted. */
async function followed(script: readonly (string | null | Fault)[]) {
  const seen: string[] = [];
  let read = 0;
  const ports: FollowPorts<string, number> = {
    open: (start) => {
      seen.push(`open ${JSON.stringify(start)}`);
      return {
        next: async () => {
          const one = script[read] ?? null;
          read += 1;
          if (one instanceof Fault) throw one;
          return one;
        },
        token: () => read,
        close: async () => void seen.push('close'),
      };
    },
    readClusterTime: async () => '9' as Position,
    report: (change) => seen.push(change),
    log: {
      away: () => seen.push('away'),
      back: () => seen.push('back'),
      missed: () => seen.push('missed'),
    },
    sleep: async () => void seen.push('sleep'),
    isInterrupted: () => read >= script.length,
  };
  const error = await follow(ports, begin).catch((one: Fault) => one.code);
  return error === undefined ? seen : [...seen, error];
}

const away = new Fault('mongodb-unavailable', 'away');
const open = (start: object) => `open ${JSON.stringify(start)}`;

it('each change is told once, in its order', async () => {
  expect(await followed(['a', null, 'b'])).toStrictEqual([open(begin), 'a', 'b', 'close']);
});

it('over an outage it goes on after the last thing that it knows, and says once that it waits, and when that is over', async () => {
  const seen = await followed(['a', null, away, away, 'b']);
  const again = open({ resumeToken: 2 });
  expect(seen).toStrictEqual([
    open(begin),
    'a',
    'close',
    'away',
    'sleep',
    again,
    'close',
    'sleep',
    again,
    'back',
    'b',
    'close',
  ]);
});

it.each([
  'history-lost',
  'change-event-too-large',
] as const)('after %s it says that it missed something, and goes on from now', async (code) => {
  const seen = await followed(['a', new Fault(code, 'lost'), 'b']);
  expect(seen).toStrictEqual([open(begin), 'a', 'close', 'missed', open({ after: '9' }), 'b', 'close']);
});

it.each([
  'history-lost',
  'mongodb-unavailable',
  'permission-denied',
] as const)('%s before the first answer ends it', async (code) => {
  expect(await followed([new Fault(code, 'no'), 'a'])).toStrictEqual([open(begin), 'close', code]);
});

it('what no waiting mends ends it later as well', async () => {
  const seen = await followed(['a', new Fault('permission-denied', 'no'), 'b']);
  expect(seen).toStrictEqual([open(begin), 'a', 'close', 'permission-denied']);
});
