import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ConsumeReport } from '../../../lib/consumer/ports.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { MemoryQueue } from '../../../lib/worker/memory-queue.ts';
import { Work, type WorkPorts } from '../../../lib/worker/work.ts';

const pointer = { eventId: '0'.repeat(23).concat('1'), aggregateType: 'graph', aggregateId: 'a' };
const quiet: ConsumeReport = {
  failedMessageIds: [],
  applied: 1,
  superseded: 0,
  dead: 0,
  conflicts: 0,
  failed: 0,
  lastFailure: null,
  unreadable: 0,
  redelivered: 0,
  settledBefore: 0,
  appliedCreatedAt: [],
};

/** A worker whose publisher waits and whose sweep never runs. */
function working(given: Partial<WorkPorts>) {
  const queue = new MemoryQueue();
  const stopped = Promise.withResolvers<never>();
  stopped.promise.catch(() => undefined);
  const ports: WorkPorts = {
    publish: () => stopped.promise,
    consume: async () => quiet,
    sweep: () => stopped.promise,
    queue,
    sleep: () => sleep(1),
    now: Date.now,
    log: { failed: () => undefined },
    ...given,
  };
  const work = new Work(ports, { consumers: 1, batchSize: 10, sweepSeconds: 60 });
  const running = work.run();
  return {
    work,
    queue,
    stopped: stopped.promise,
    stop: async () => {
      work.stop();
      stopped.reject(new Fault('time-up', 'stopped'));
      await running;
    },
  };
}

it('a part that fails is named with its reason until it works again', async () => {
  let isUnavailable = true;
  const { work, queue, stop } = working({
    consume: async () => {
      if (isUnavailable) throw new Fault('neo4j-unavailable', 'Neo4j is away.');
      return quiet;
    },
  });
  await queue.send([pointer]);
  await expect
    .poll(() => work.health().failing)
    .toStrictEqual({ consumer: { since: expect.any(Number), reason: 'Neo4j is away.' } });
  isUnavailable = false;
  await expect.poll(() => work.health().applied).toBe(1);
  await expect.poll(() => work.health().failing).toStrictEqual({});
  await stop();
});

it('a publisher that failed works again as soon as it says so, although it does not end', async () => {
  let attempts = 0;
  const { work, stop, stopped } = working({
    publish: async () => {
      attempts += 1;
      if (attempts === 1) throw new Fault('mongodb-unavailable', 'MongoDB is away.');
      return stopped;
    },
  });
  await expect.poll(() => attempts).toBe(2);
  expect(work.health()).toMatchObject({ publisher: null, failing: { publisher: { reason: 'MongoDB is away.' } } });
  work.publisherWorks('tail', 2);
  expect(work.health()).toMatchObject({ publisher: 'tail', workers: 2 });
  expect(work.health().failing).toStrictEqual({});
  await stop();
});

it('the health says why single events failed', async () => {
  const lastFailure = new Fault('graph-locked', 'The transaction neo4j-transaction-7 holds a lock.');
  const { work, queue, stop } = working({ consume: async () => ({ ...quiet, applied: 0, failed: 1, lastFailure }) });
  expect(work.health()).toMatchObject({ failedEvents: null });
  await queue.send([pointer]);
  await expect.poll(() => work.health()).toMatchObject({ failedEvents: { count: 1, reason: lastFailure.message } });
  await stop();
});
