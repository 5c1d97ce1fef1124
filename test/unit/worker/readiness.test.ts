import { expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { readinessOf } from '../../../lib/worker/readiness.ts';
import type { WorkHealth } from '../../../lib/worker/work.ts';

const working: WorkHealth = {
  applied: 0,
  dead: 0,
  queued: 0,
  lastSettledAt: null,
  failedEvents: null,
  publisher: 'standby',
  workers: 0,
  failing: {},
};
const answering = async () => [];

it('a worker on standby is ready', async () => {
  expect(await readinessOf(working, false, answering)).toMatchObject({ ready: true, problems: [] });
});

it('a worker that has not seen the lease yet is not ready', async () => {
  expect(await readinessOf({ ...working, publisher: null }, false, answering)).toMatchObject({
    ready: false,
    problems: ['The publisher has not seen the lease of the outbox yet.'],
  });
});

it('a worker without a server, or with a failing part, is not ready, and says why', async () => {
  const failing = { sweep: { since: 0, reason: 'Neo4j is away.' } };
  const away = async () => [new Fault('neo4j-unavailable', 'Neo4j does not answer.')];
  expect(await readinessOf({ ...working, failing }, false, away)).toMatchObject({
    ready: false,
    problems: ['The sweep has been failing since 1970-01-01T00:00:00.000Z: Neo4j is away.', 'Neo4j does not answer.'],
  });
});

it('a worker that is stopping is not ready, and asks no server', async () => {
  const asked = () => Promise.reject(new Error('asked'));
  expect(await readinessOf(working, true, asked)).toMatchObject({
    ready: false,
    problems: ['The worker is stopping.'],
  });
});
