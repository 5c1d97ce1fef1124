/** Following the outbox through any fault, on a simulated stream. */
import { expect, it } from 'vitest';
import { type FollowPorts, follow } from '../../../cli/tail/follow.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import type { Position } from '../../../lib/contract/position.ts';

const begin = { after: '1' as Position };

/**
 * Follows a script of reads. Each returns a change or nothing, or throws a fault; then the reader
 * is interrupted.
 */
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
      unavailable: () => seen.push('unavailable'),
      recovered: () => seen.push('recovered'),
      missed: () => seen.push('missed'),
    },
    sleep: async () => void seen.push('sleep'),
    isInterrupted: () => read >= script.length,
  };
  const error = await follow(ports, begin).catch((one: Fault) => one.code);
  return error === undefined ? seen : [...seen, error];
}

const outage = new Fault('mongodb-unavailable', 'MongoDB is unavailable');
const open = (start: object) => `open ${JSON.stringify(start)}`;

it('reports each change once and in order', async () => {
  expect(await followed(['a', null, 'b'])).toStrictEqual([open(begin), 'a', 'b', 'close']);
});

it('continues after the last known change in an outage, and reports its start and end once', async () => {
  const seen = await followed(['a', null, outage, outage, 'b']);
  const again = open({ resumeToken: 2 });
  expect(seen).toStrictEqual([
    open(begin),
    'a',
    'close',
    'unavailable',
    'sleep',
    again,
    'close',
    'sleep',
    again,
    'recovered',
    'b',
    'close',
  ]);
});

it.each([
  'history-lost',
  'change-event-too-large',
] as const)('after %s, reports missed changes and continues from now', async (code) => {
  const seen = await followed(['a', new Fault(code, 'lost'), 'b']);
  expect(seen).toStrictEqual([open(begin), 'a', 'close', 'missed', open({ after: '9' }), 'b', 'close']);
});

it.each([
  'history-lost',
  'mongodb-unavailable',
  'permission-denied',
] as const)('fails if the first read fails with %s', async (code) => {
  expect(await followed([new Fault(code, 'no'), 'a'])).toStrictEqual([open(begin), 'close', code]);
});

it('also fails later for an error that waiting cannot fix', async () => {
  const seen = await followed(['a', new Fault('permission-denied', 'no'), 'b']);
  expect(seen).toStrictEqual([open(begin), 'a', 'close', 'permission-denied']);
});
