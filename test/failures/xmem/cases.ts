/** XMem's crash cases. They share the stack of the crash table's rows about Neo4j. */
import { isDeepStrictEqual } from 'node:util';
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import { type FailureStack, visibilitySeconds } from '../../support/failure-stack.ts';
import { neo4jCommit } from '../../support/tcp-proxy.ts';
import { straightFromInput, writeHistory } from '../../support/xmem/sample-history.ts';
import { firstScan } from '../../support/xmem/sample-repository.ts';
import { XmemScope } from '../../support/xmem/xmem-scope.ts';
import { countFailures, untilConsumerFails } from '../rows/neo4j.ts';
import { addEvents, killConsumers, lookUntil, moveUntil } from './date-moves.ts';

/** A killed consumer's messages are redelivered after this time: so soon that many come twice. */
const hastySeconds = 3;

/** By title, which begins with the name of the case. */
export const xmemCases: Readonly<Record<string, (stack: FailureStack) => Promise<void>>> = {
  'N5: a crash anywhere in a date move: whoever looks all the time never sees the event on no day, and never on two': (
    stack,
  ) =>
    withHastyQueue(stack, async () => {
      const scope = new XmemScope(stack);
      const ids = await addEvents(scope);
      await expectInStep(scope);
      const ended = new AbortController();
      const drained = new AbortController();
      const moving = moveUntil(ended.signal, stack, scope, ids);
      const { looks, looking } = lookUntil(drained.signal, stack, scope, ids);
      try {
        await killConsumers(stack, looks);
      } finally {
        ended.abort();
        await moving;
        await expectInStep(scope).finally(() => drained.abort());
      }
      await looking;
      expect(looks.wrong).toStrictEqual([]);
      expect(looks.count).toBeGreaterThan(looks.moves);
      expect(looks.locked).toBeGreaterThan(looks.moves / ids.length);
    }),

  'N12: Neo4j down during the whole scan, then up: the graph equals one built from scratch': (stack) =>
    withHastyQueue(stack, async () => {
      const scope = new XmemScope(stack);
      const failures = await countFailures(stack);
      await stack.neo4j.server.kill();
      const history = await untilNeo4jIsBack(stack, async () => {
        const written = await writeHistory(scope);
        await untilConsumerFails(stack, failures);
        expect((await scope.events()).filter(({ status }) => status !== 'pending')).toStrictEqual([]);
        return written;
      });
      await expectInStep(scope);
      expect(await scope.found()).toStrictEqual(straightFromInput(scope, history));
      expect(await stack.countMessages('deadLetterQueue')).toBe(0);
    }),

  "N14: the consumer killed between Neo4j's commit and the acknowledgement: the redelivery changes nothing": (stack) =>
    withHastyQueue(stack, async () => {
      const scope = new XmemScope(stack);
      const code = scope.repository('r');
      const _id = await scope.memory.add('12-10', { event_name: 'moves' });
      await code.scan(firstScan);
      await expectInStep(scope);
      await killedAfterCommit(stack, scope, () => scope.memory.update(_id, { date: '12-11' }));
      await killedAfterCommit(stack, scope, () => code.rename('src/net/pool.ts', 'lib/pool.ts'));
    }),
};

/**
 * Kills the consumer when Neo4j has committed the write, before the consumer gets the response. The
 * redelivery must not change the graph.
 */
async function killedAfterCommit(stack: FailureStack, scope: XmemScope, write: () => Promise<unknown>): Promise<void> {
  const before = await scope.elements();
  const killed = Promise.withResolvers<readonly unknown[]>();
  // Canaries and redelivered messages commit too.
  const watchCommits = () => {
    const act = async (): Promise<'cut' | 'pass'> => {
      watchCommits();
      const committed = await scope.elements();
      if (isDeepStrictEqual(committed, before)) return 'pass';
      stack.neo4jProxy.clear();
      expect(await stack.functions.kill('consumer')).toBeGreaterThan(0);
      killed.resolve(committed);
      return 'cut';
    };
    stack.neo4jProxy.stopOnce({ at: neo4jCommit, before: 'reply', act }).catch(killed.reject);
  };
  watchCommits();
  await write();
  const committed = await killed.promise;
  expect((await scope.events()).filter(({ status }) => status === 'pending')).toHaveLength(1);
  await expectInStep(scope);
  expect(await scope.elements()).toStrictEqual(committed);
}

async function expectInStep(scope: XmemScope): Promise<void> {
  const events = await scope.untilSettled(200);
  expect(events.filter(({ status }) => status !== 'processed')).toStrictEqual([]);
  expect(await scope.found()).toStrictEqual(await scope.expected());
}

/** Does the work while Neo4j is down, and starts Neo4j in any case. */
async function untilNeo4jIsBack<Result>(stack: FailureStack, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    await stack.neo4j.server.start();
  }
}

async function withHastyQueue(stack: FailureStack, work: () => Promise<void>): Promise<void> {
  const setVisibility = (seconds: number) => {
    const Attributes = { VisibilityTimeout: String(seconds) };
    return stack.sqs.send(new SetQueueAttributesCommand({ QueueUrl: stack.deployment.queueUrl, Attributes }));
  };
  await setVisibility(hastySeconds);
  try {
    await work();
  } finally {
    stack.neo4jProxy.clear();
    await setVisibility(visibilitySeconds);
  }
}
