import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, expect, it } from 'vitest';
import { canaryAggregate } from '../../lib/contract/canary.ts';
import { aggregateKey } from '../../lib/contract/outbox-event.ts';
import { toPosition } from '../../lib/contract/position.ts';
import { checkpointCollection } from '../../lib/outbox/collections.ts';
import type { CanaryNote } from '../../lib/sweep/mongodb-canaries.ts';
import type { SweepReport } from '../../lib/sweep/sweep.ts';
import { stack } from '../support/stack.ts';
import { closeClients, db, query, untilSettled } from '../support/wait-for.ts';

// The scheduled sweep may be running. Only one runs at a time, so this one waits.
const lambda = new LambdaClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion, maxAttempts: 10 });
afterAll(async () => {
  lambda.destroy();
  await closeClients();
});

async function runSweep(): Promise<SweepReport> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: stack.functions.sweep }));
  expect(answer.FunctionError).toBeUndefined();
  return JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as SweepReport;
}

it('a canary travels the whole path and leaves only its registry node in the graph', async () => {
  await runSweep();
  const note = await db.collection<CanaryNote>(checkpointCollection).findOne({ _id: 'canary' });
  const [event] = await untilSettled([note?.eventId ?? expect.fail('no canary was recorded')]);
  expect(event).toMatchObject({ ...canaryAggregate, status: 'processed' });
  const [node] = await query(
    'MATCH (a:OutgraphAggregate {key: $key}) RETURN a.position AS position, COUNT { (a)--() } AS relationships',
    { key: aggregateKey(canaryAggregate) },
  );
  expect(node?.relationships).toBe(0n);
  expect(node?.position >= toPosition(event?.position)).toBe(true);
  const { canaryLagMillis } = await runSweep();
  expect(canaryLagMillis).toBeGreaterThanOrEqual(0);
});
