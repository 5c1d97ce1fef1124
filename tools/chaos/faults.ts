/**
 * The faults of a chaos run, injected into the running stack: each begins, lasts for its planned
 * time, and is then undone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { type BadEvent, badEvents } from '../../test/support/bad-events.ts';
import type { FailureStack } from '../../test/support/failure-stack.ts';
import type { FaultyBus } from '../../test/support/faulty-bus.ts';
import { insertRaw } from '../../test/support/insert-raw.ts';
import { idsOf } from '../../test/support/model/document-states.ts';
import { neo4jCommit } from '../../test/support/tcp-proxy.ts';
import type { Ledger } from './ledger.ts';
import type { FaultKind, PlannedFault } from './schedule.ts';

/** The target of the faults. */
export interface ChaosTarget {
  readonly stack: FailureStack;
  readonly ledger: Ledger;
  /** The prefix of all aggregate ids of the run. */
  readonly prefix: string;
  /** Counts the messages sent to the queue. */
  readonly count: (what: 'duplicates' | 'unreadable', count: number) => void;
  /** Ids of events that can never be applied. Some of them may not have been written. */
  readonly badIds: unknown[];
}

/** The maximum delay of messages that are sent again. */
const maxDelaySeconds = 10;

/** A body that no consumer can read. */
export const unreadableBody = 'no pointer';

/**
 * Injects one fault and undoes it. Returns whether it had an effect: a process that does not run
 * cannot be killed.
 */
export async function makeFault({ kind, lengthMillis, draw }: PlannedFault, target: ChaosTarget): Promise<boolean> {
  return faults[kind](target, lengthMillis, draw);
}

type MakeFault = (target: ChaosTarget, lengthMillis: number, draw: number) => Promise<boolean>;

const faults: Readonly<Record<FaultKind, MakeFault>> = {
  'publisher killed': async ({ stack }) => (await stack.functions.kill('publisher')) > 0,
  'consumer killed': async ({ stack }) => (await stack.functions.kill('consumer')) > 0,
  'sweep killed': async ({ stack }) => (await stack.functions.kill('sweep')) > 0,
  'publisher paused': ({ stack }, lengthMillis) => pause(stack, 'publisher', lengthMillis),
  'consumer paused': ({ stack }, lengthMillis) => pause(stack, 'consumer', lengthMillis),
  'writer killed': async ({ ledger }) => {
    ledger.killWriter();
    return true;
  },
  'MongoDB primary killed': async ({ stack }, lengthMillis) => {
    const primary = await stack.mongodb.primary();
    await primary.kill();
    await sleep(lengthMillis);
    await primary.start();
    await stack.mongodb.untilHealthy();
    return true;
  },
  'MongoDB primary paused': async ({ stack }, lengthMillis) => {
    const primary = await stack.mongodb.primary();
    primary.pause();
    await sleep(lengthMillis);
    primary.resume();
    return true;
  },
  'MongoDB connections cut': async ({ stack }, _, draw) => {
    stack.mongodbProxies[Math.floor(draw * stack.mongodbProxies.length)]?.cutAll();
    return true;
  },
  'Neo4j killed': async ({ stack }, lengthMillis) => {
    await stack.neo4j.server.kill();
    await sleep(lengthMillis);
    await stack.neo4j.server.start();
    return true;
  },
  'Neo4j paused': async ({ stack }, lengthMillis) => {
    stack.neo4j.server.pause();
    await sleep(lengthMillis);
    stack.neo4j.server.resume();
    return true;
  },
  'Neo4j connections cut': async ({ stack }) => {
    stack.neo4jProxy.cutAll();
    return true;
  },
  'commit ambiguous': async ({ stack }, lengthMillis) => {
    const made = stack.neo4jProxy.stopOnce({ at: neo4jCommit, before: 'reply', act: () => 'cut' });
    const hadEffect = await Promise.race([made.then(() => true), sleep(lengthMillis).then(() => false)]);
    stack.neo4jProxy.clear();
    return hadEffect;
  },
  'bus refuses': ({ stack }, lengthMillis) =>
    duringBusFault(stack, lengthMillis, (entries) => ({
      fault: 'refuse',
      indexes: entries.map((_, index) => index).filter((index) => index % 2 === 0),
    })),
  'bus answers fewer': ({ stack }, lengthMillis) =>
    duringBusFault(stack, lengthMillis, () => ({ fault: 'short-answer', missing: 1 })),
  'bus unreachable': ({ stack }, lengthMillis) => duringBusFault(stack, lengthMillis, () => ({ fault: 'unreachable' })),
  'bus answer lost': ({ stack }, lengthMillis) => duringBusFault(stack, lengthMillis, () => ({ fault: 'answer-lost' })),
  'messages again': async ({ stack, prefix, count }, _, draw) => {
    let delaySeconds = Math.floor(draw * maxDelaySeconds);
    const sample = [{ $match: { aggregateType: 'graph', aggregateId: idsOf(prefix) } }, { $sample: { size: 20 } }];
    for await (const { _id } of stack.outbox.aggregate(sample)) {
      const pointer = { eventId: String(_id), aggregateType: 'graph', aggregateId: 'again' };
      await sendMessage(stack, JSON.stringify(pointer), delaySeconds);
      delaySeconds = (delaySeconds + 3) % maxDelaySeconds;
      count('duplicates', 1);
    }
    return true;
  },
  'message unreadable': async ({ stack, count }) => {
    await sendMessage(stack, unreadableBody, 0);
    count('unreadable', 1);
    return true;
  },
  'bad event written': async ({ stack, prefix, badIds }, _, draw) => {
    const { event, bypass = false } = drawBadEvent(prefix, badIds.length, draw);
    badIds.push(event._id);
    // Fails while there is no primary.
    return insertRaw(stack.db, 'outbox', [event], { bypassDocumentValidation: bypass }).then(
      () => true,
      () => false,
    );
  },
};

/** Chooses among the bad events that are small and need no constraint. */
function drawBadEvent(prefix: string, number: number, draw: number): BadEvent {
  const kinds = badEvents(`Bad${prefix}x${number}`).filter(
    ({ code }) => code === 'event-invalid' || code === 'position-in-future',
  );
  // Only the change stream can find an event that is in no index of the outbox.
  const small = kinds.filter(
    ({ event }) => event.status === 'pending' && JSON.stringify(event).length < maxBadCharacters,
  );
  return small[Math.floor(draw * small.length)] as BadEvent;
}

const maxBadCharacters = 10_000;

async function pause(stack: FailureStack, name: 'publisher' | 'consumer', lengthMillis: number): Promise<boolean> {
  const pids = await stack.functions.pause(name);
  await sleep(lengthMillis);
  stack.functions.resume(pids);
  return pids.length > 0;
}

/** Whether the fault affected any call. */
async function duringBusFault(
  { bus }: FailureStack,
  lengthMillis: number,
  decide: NonNullable<FaultyBus['decide']>,
): Promise<boolean> {
  let hadEffect = false;
  bus.decide = (...call) => {
    hadEffect = true;
    return decide(...call);
  };
  await sleep(lengthMillis);
  bus.decide = null;
  return hadEffect;
}

async function sendMessage(stack: FailureStack, MessageBody: string, DelaySeconds: number): Promise<void> {
  await stack.sqs.send(new SendMessageCommand({ QueueUrl: stack.deployment.queueUrl, MessageBody, DelaySeconds }));
}
