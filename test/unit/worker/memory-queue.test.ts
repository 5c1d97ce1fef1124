import { expect, it } from 'vitest';
import type { Pointer } from '../../../lib/contract/pointer.ts';
import { MemoryQueue } from '../../../lib/worker/memory-queue.ts';

const pointers = (from: number, count: number): readonly Pointer[] =>
  Array.from({ length: count }, (_, index) => ({
    eventId: (from + index).toString(16).padStart(24, '0'),
    aggregateType: 'graph',
    aggregateId: `${from + index}`,
  }));

it('a full queue refuses offers without waiting, and accepts them once it has capacity', async () => {
  const queue = new MemoryQueue();
  queue.send(pointers(0, 10_000));
  const more = pointers(10_000, 10);
  expect(queue.offer(more)).toStrictEqual(more);
  expect(queue.length).toBe(10_000);
  await queue.receive(1);
  expect(queue.offer(more)).toStrictEqual([]);
  expect(queue.length).toBe(10_009);
});

it('does not add an event that is in the queue or with a consumer', async () => {
  const queue = new MemoryQueue();
  queue.send(pointers(0, 2));
  await queue.receive(1);
  expect(queue.offer(pointers(0, 3))).toStrictEqual([]);
  expect(queue.inFlight).toBe(3);
});

it('a backlog counts as redelivered, because it may have crashed an earlier process', async () => {
  const queue = new MemoryQueue();
  queue.markRedelivered(pointers(0, 1));
  queue.send(pointers(0, 2));
  expect((await queue.receive(2)).map(({ receiveCount }) => receiveCount)).toStrictEqual([2, 1]);
});

it('has no capacity while it is full, and says so after a short wait', async () => {
  const queue = new MemoryQueue();
  expect(await queue.waitForCapacity()).toBe(true);
  queue.send(pointers(0, 10_000));
  expect(await queue.waitForCapacity()).toBe(false);
  const waiting = queue.waitForCapacity();
  await queue.receive(1);
  expect(await waiting).toBe(true);
});
