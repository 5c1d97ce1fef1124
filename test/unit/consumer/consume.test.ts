import { describe, expect, it } from 'vitest';
import { consume } from '../../../lib/consumer/consume.ts';
import type { ConsumePorts, ReportedOutcome } from '../../../lib/consumer/ports.ts';
import type { QueueMessage } from '../../../lib/consumer/queue-message.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import type { OutboxEvent } from '../../../lib/contract/outbox-event.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateResult } from '../../../lib/graph/apply-batch.ts';
import type { DeadEvent } from '../../../lib/outbox/dead-event.ts';
import { calmPorts } from '../../support/calm-ports.ts';
import { oneChunk, readChunks } from '../../support/chunks.ts';
import { silentLog } from '../../support/silent-log.ts';

const eventId = (index: number) => index.toString(16).padStart(24, '0');
const event = (index: number, aggregateId: string, second = index): OutboxEvent => ({
  eventId: eventId(index),
  aggregateType: 'graph',
  aggregateId,
  position: toPosition({ t: second, i: 1 }),
  createdAt: new Date(0),
  operation: 'delete',
});
const message = (index: number, receiveCount = 1): QueueMessage => ({
  messageId: `m${index}`,
  body: JSON.stringify({ eventId: eventId(index), aggregateType: 'graph', aggregateId: 'x' }),
  receiveCount,
  receiptHandle: `r${index}`,
});

const packOf = (indexes: readonly number[], receiveCount = 1): QueueMessage => ({
  messageId: `p${indexes.join('-')}`,
  body: JSON.stringify({
    aggregateType: 'graph',
    events: indexes.map((index) => ({ eventId: eventId(index), aggregateId: 'x' })),
  }),
  receiveCount,
  receiptHandle: 'r',
});

/**
 * A consumer with these pending events. `resultOf` defines the graph's result for the state with an
 * event's position.
 */
function world(
  pending: readonly OutboxEvent[],
  resultOf: (key: string, second: number) => AggregateResult = () => ({ outcome: 'applied' }),
) {
  const batches: string[][] = [];
  const acknowledged: string[] = [];
  const dead: DeadEvent[] = [];
  const again: [string, number][] = [];
  const trials: string[] = [];
  const reported: [string, ReportedOutcome][] = [];
  const ports: ConsumePorts = {
    ...calmPorts,
    project: () => null,
    applyBatch: async (states, results) => {
      batches.push(states.map((state) => state.key));
      for (const { key, position } of states)
        results.set(key, resultOf(key, Number.parseInt(position.slice(0, 8), 16)));
    },
    fetchPending: async () => [],
    fetchEvents: (ids) =>
      oneChunk(pending.filter((one) => ids.includes(one.eventId)).map((one) => ({ status: 'pending', event: one }))),
    acknowledgeEvents: async (ids) => acknowledged.push(...ids),
    markDead: async (events) => dead.push(...events),
    findSharers: async () => [],
    retryLater: async (messages, seconds) => {
      for (const { messageId } of messages) again.push([messageId, seconds]);
    },
    beginTrial: async ({ eventIds, alone }) => {
      trials.push(`begin ${alone ? 'alone' : 'together'} ${eventIds.map((id) => Number.parseInt(id, 16)).join()}`);
      return 'trial';
    },
    endTrial: async () => void trials.push('end'),
    log: { ...silentLog, eventOutcome: (one, outcome) => void reported.push([one.eventId, outcome]) },
  };
  return { ports, batches, acknowledged, dead, again, trials, reported };
}
const onceFailed = { failures: 1, slow: 0, conflicts: 0, secondsAgo: 60 };
const options = { conflictMaxReceives: 3, crashMaxTrials: 2, aloneMaxFailures: 3 };
const refused: AggregateResult = { outcome: 'refused', code: 'constraint-violation', message: 'no' };
const conflict: AggregateResult = {
  outcome: 'conflict',
  conflict: {
    code: 'ownership-conflict',
    refused: 'graph:a',
    holder: 'graph:b',
    sharedNode: null,
    element: 'A {id: 1}',
    heldInGraph: true,
  },
};

describe('the consumer', () => {
  it('applies only the newest event of an aggregate, and acknowledges all of them', async () => {
    const { ports, batches, acknowledged } = world([event(1, 'a'), event(2, 'a')]);
    const report = await consume([message(2), message(1)], ports, options);
    expect(batches).toStrictEqual([['graph:a']]);
    expect(acknowledged.sort()).toStrictEqual([eventId(1), eventId(2)]);
    expect(report.applied).toBe(1);
    expect(report.superseded).toBe(1);
    expect(report.failedMessageIds).toStrictEqual([]);
  });

  it('settles a pointer without an event', async () => {
    const { ports } = world([]);
    expect(await consume([message(1)], ports, options)).toMatchObject({ failedMessageIds: [], settledBefore: 1 });
  });

  it('moves an unreadable message to the dead-letter queue with the reason, and settles the others', async () => {
    const { ports, acknowledged } = world([event(1, 'a')]);
    const moved: string[] = [];
    const moveToDeadLetters: ConsumePorts['moveToDeadLetters'] = async (messages) => {
      for (const { messageId, reason } of messages) moved.push(`${messageId}: ${reason}`);
      return messages;
    };
    const batch = [{ ...message(2), body: '{' }, message(1)];
    const report = await consume(batch, { ...ports, moveToDeadLetters }, options);
    expect({ failedMessageIds: report.failedMessageIds, unreadable: report.unreadable, acknowledged }).toStrictEqual({
      failedMessageIds: [],
      unreadable: 1,
      acknowledged: [eventId(1)],
    });
    expect(moved).toStrictEqual(['m2: the body is not JSON']);
  });

  it('keeps an unreadable message in the queue if the dead-letter queue does not accept it', async () => {
    const { ports, again } = world([]);
    const batch = [{ ...message(2), body: '{' }];
    const report = await consume(batch, { ...ports, moveToDeadLetters: async () => [] }, options);
    expect({ failedMessageIds: report.failedMessageIds, again }).toStrictEqual({
      failedMessageIds: ['m2'],
      again: [['m2', 30]],
    });
  });

  it('applies the older valid event if the newest one is dead', async () => {
    const { ports, acknowledged, dead } = world([event(1, 'a'), event(2, 'a')], (_, second) =>
      second === 2 ? refused : { outcome: 'applied' },
    );
    await consume([message(1), message(2)], ports, options);
    expect(acknowledged).toStrictEqual([eventId(1)]);
    expect(dead.map((one) => one.eventId)).toStrictEqual([eventId(2)]);
  });

  it('tries redelivered messages together, in a trial that is recorded before and removed after', async () => {
    const { ports, batches, trials } = world([event(1, 'a'), event(2, 'b')]);
    await consume([message(1, 7), message(2)], ports, options);
    expect({ batches, trials }).toStrictEqual({
      batches: [['graph:a', 'graph:b']],
      trials: ['begin together 1,2', 'end'],
    });
  });

  it('records no trial for messages delivered for the first time', async () => {
    const { ports, trials } = world([event(1, 'a')]);
    await consume([message(1)], ports, options);
    expect(trials).toStrictEqual([]);
  });

  it('applies events that may have crashed a process alone, after the others, least suspect first', async () => {
    const { ports, batches, trials } = world([event(1, 'a'), event(2, 'b'), event(3, 'c')]);
    const broken = new Map([
      [eventId(1), { together: 1, alone: 1 }],
      [eventId(2), { together: 1, alone: 0 }],
    ]);
    await consume(
      [message(1, 3), message(2, 2), message(3)],
      { ...ports, readCrashedTrials: async () => broken },
      options,
    );
    expect(batches).toStrictEqual([['graph:c'], ['graph:b'], ['graph:a']]);
    expect(trials).toStrictEqual(['begin alone 2', 'end', 'begin alone 1', 'end']);
  });

  it('marks an event dead after exactly the allowed number of crashes', async () => {
    const { ports, batches, dead } = world([event(1, 'a'), event(2, 'b')]);
    const broken = new Map([
      [eventId(1), { together: 3, alone: 1 }],
      [eventId(2), { together: 1, alone: 2 }],
    ]);
    const report = await consume(
      [message(1, 9), message(2, 9)],
      { ...ports, readCrashedTrials: async () => broken },
      options,
    );
    expect({ failedMessageIds: report.failedMessageIds, batches, dead }).toMatchObject({
      failedMessageIds: [],
      batches: [['graph:a']],
      dead: [{ eventId: eventId(2), code: 'consumer-crashed' }],
    });
  });

  it('does not start another event alone with little time remaining, and returns it at once', async () => {
    const { ports, batches, again } = world([event(1, 'a'), event(2, 'b')]);
    const broken = new Map([[eventId(1), { together: 1, alone: 0 }]]);
    const late = { ...ports, readCrashedTrials: async () => broken, remainingMillis: endingSoon() };
    const report = await consume([message(1, 3), message(2)], late, options);
    expect({ batches, failedMessageIds: report.failedMessageIds, again }).toStrictEqual({
      batches: [['graph:b']],
      failedMessageIds: ['m1'],
      again: [['m1', 0]],
    });
  });

  it('ends a trial even if a server fails during it', async () => {
    const { ports, trials } = world([event(1, 'a')]);
    const applyBatch = () => Promise.reject(new Fault('neo4j-unavailable', 'gone'));
    await expect(consume([message(1, 2)], { ...ports, applyBatch }, options)).rejects.toThrow('gone');
    expect(trials).toStrictEqual(['begin together 1', 'end']);
  });

  it('keeps an event in conflict in the queue, with back-off, up to a number of conflicts', async () => {
    const again = await Promise.all(
      [1, 2].map(async (count) => {
        const one = world([event(1, 'a')], () => conflict);
        const report = await consume([message(1, 9)], { ...one.ports, countConflict: async () => count }, options);
        expect(report).toMatchObject({ failedMessageIds: ['m1'], conflicts: 1, dead: 0 });
        return one.again;
      }),
    );
    expect(again).toStrictEqual([[['m1', 30]], [['m1', 60]]]);
    const last = world([event(1, 'a')], () => conflict);
    const ports = { ...last.ports, countConflict: async () => 3 };
    expect(await consume([message(1)], ports, options)).toMatchObject({ failedMessageIds: [], dead: 1 });
    expect(last.dead).toMatchObject([
      { code: 'ownership-conflict', message: expect.stringMatching(/A \{id: 1\}.*graph:a.*graph:b/) },
    ]);
  });

  it("applies the holder's newest pending event together with the one in conflict", async () => {
    let isReleased = false;
    const { ports, acknowledged } = world([event(1, 'a')], (key) =>
      key === 'graph:a' && !isReleased ? conflict : { outcome: 'applied' },
    );
    const report = await consume(
      [message(1)],
      {
        ...ports,
        fetchPending: async (keys) => {
          isReleased = true;
          return keys.map(() => event(9, 'b'));
        },
      },
      options,
    );
    expect(report.failedMessageIds).toStrictEqual([]);
    expect(acknowledged.sort()).toStrictEqual([eventId(1), eventId(9)]);
  });

  it('keeps an event that failed alone in the queue up to a limit, then reports its last error', async () => {
    const fault = new Fault('neo4j-unavailable', 'Neo4j did not answer as it should (Neo.DatabaseError.General.Odd).');
    const failed: AggregateResult = { outcome: 'failed', fault };
    const first = world([event(1, 'a'), event(2, 'b')], (key) => (key === 'graph:a' ? failed : { outcome: 'applied' }));
    const report = await consume([message(1), message(2)], { ...first.ports, countFailure: async () => 2 }, options);
    expect(report).toMatchObject({ failedMessageIds: ['m1'], applied: 1, failed: 1, dead: 0, lastFailure: fault });
    expect(first.again).toStrictEqual([['m1', 10]]);
    const last = world([event(1, 'a')], () => failed);
    await consume([message(1)], { ...last.ports, countFailure: async () => 3 }, options);
    expect(last.dead).toMatchObject([{ code: 'apply-failed', message: expect.stringContaining(fault.message) }]);
  });

  it.each([
    'graph-locked',
    'constraint-building',
    'manifest-unknown',
  ] as const)('never marks an event dead because of %s', async (code) => {
    const one = world([event(1, 'a')], () => ({ outcome: 'failed', fault: new Fault(code, 'passing') }));
    const counted: boolean[] = [];
    const countFailure = async (_: string, counts: boolean) => {
      counted.push(counts);
      return 99;
    };
    const report = await consume([message(1)], { ...one.ports, countFailure }, options);
    expect({ report, counted }).toMatchObject({ report: { failedMessageIds: ['m1'], dead: 0 }, counted: [false] });
  });

  it('tries an event that failed alone before alone again, after the others', async () => {
    const { ports, batches } = world([event(1, 'a'), event(2, 'b')]);
    const readFailures = async () => new Map([[eventId(1), onceFailed]]);
    await consume([message(1, 2), message(2)], { ...ports, readFailures }, options);
    expect(batches).toStrictEqual([['graph:b'], ['graph:a']]);
  });

  it('throws in an outage, after acknowledging settled events, and returns the batch soon', async () => {
    const { ports, acknowledged, again } = world([event(1, 'a'), event(2, 'b')]);
    const failing: ConsumePorts = {
      ...ports,
      applyBatch: async (states, results) => {
        for (const { key } of states.slice(0, 1)) results.set(key, { outcome: 'applied' });
        throw new Fault('neo4j-unavailable', 'gone');
      },
    };
    await expect(consume([message(1), message(2)], failing, options)).rejects.toMatchObject({
      code: 'neo4j-unavailable',
    });
    expect({ acknowledged, again }).toStrictEqual({
      acknowledged: [eventId(1)],
      again: [
        ['m1', 4],
        ['m2', 4],
      ],
    });
  });

  it.each([
    'credentials-refused',
    'permission-denied',
  ] as const)('marks nothing dead if a database answers %s, and returns the batch', async (code) => {
    const { ports, dead, acknowledged, again } = world([event(1, 'a'), event(2, 'b')]);
    const refusal = new Fault(code, 'refused');
    const refuse = () => Promise.reject(refusal);
    const batch = [message(1), message(2, 99)];
    for (const port of ['checkServers', 'fetchEvents', 'applyBatch', 'acknowledgeEvents'] as const) {
      await expect(
        consume(batch, { ...ports, [port]: port === 'fetchEvents' ? () => oneChunk(refuse()) : refuse }, options),
      ).rejects.toMatchObject({ code });
      expect(
        again.splice(0).map(([id]) => id),
        String(port),
      ).toStrictEqual(['m1', 'm2']);
    }
    expect({ dead, acknowledged }).toStrictEqual({ dead: [], acknowledged: [] });
  });

  it('backs off up to 40 seconds while an outage lasts', async () => {
    const { ports, again } = world([]);
    const checkServers = () => Promise.reject(new Fault('neo4j-unavailable', 'away'));
    const batch = [1, 2, 3, 4, 900].map((receiveCount) => message(receiveCount, receiveCount));
    await expect(consume(batch, { ...ports, checkServers, random: () => 0 }, options)).rejects.toThrow('away');
    expect(again).toStrictEqual([
      ['m1', 5],
      ['m2', 10],
      ['m3', 20],
      ['m4', 40],
      ['m900', 40],
    ]);
  });

  it('does nothing while a failed server is still unavailable', async () => {
    const { ports, batches, trials } = world([event(1, 'a')]);
    const checkServers = () => Promise.reject(new Fault('neo4j-unavailable', 'still away'));
    await expect(consume([message(1, 2)], { ...ports, checkServers }, options)).rejects.toThrow('still away');
    expect({ batches, trials }).toStrictEqual({ batches: [], trials: [] });
  });

  it('returns unsettled events when its time is up, and records which were being applied', async () => {
    const { ports, acknowledged, again } = world([event(1, 'a'), event(2, 'b')]);
    const slow: ConsumePorts = {
      ...ports,
      applyBatch: async (states, results) => {
        for (const { key } of states.slice(0, 1)) results.set(key, { outcome: 'applied' });
        throw new Fault('time-up', 'no time left');
      },
    };
    const recorded: string[] = [];
    const countSlow = async (ids: readonly string[]) => void recorded.push(...ids);
    const report = await consume([message(1), message(2)], { ...slow, countSlow }, options);
    expect({ failedMessageIds: report.failedMessageIds, acknowledged, again, recorded }).toStrictEqual({
      failedMessageIds: ['m2'],
      acknowledged: [eventId(1)],
      again: [['m2', 0]],
      recorded: [eventId(2)],
    });
  });

  it.each([
    true,
    false,
  ])('records the events of a batch that ran out of time if Neo4j answers: %s', async (answering) => {
    const { ports } = world([event(1, 'a'), event(2, 'b')]);
    const recorded: string[] = [];
    const late: ConsumePorts = {
      ...ports,
      applyBatch: () => Promise.reject(new Fault('time-up', 'no time left')),
      answers: async () => answering,
      countSlow: async (ids) => void recorded.push(...ids),
    };
    await expect(consume([message(1), message(2)], late, options)).rejects.toMatchObject({ code: 'time-up' });
    expect(recorded).toStrictEqual(answering ? [eventId(1), eventId(2)] : []);
  });

  it('throws if its time is up and nothing was settled because a server does not answer', async () => {
    const { ports, again } = world([event(1, 'a')]);
    const applyBatch = () => Promise.reject(new Fault('time-up', 'no time left'));
    const answers = async () => false;
    await expect(consume([message(1)], { ...ports, applyBatch, answers }, options)).rejects.toMatchObject({
      code: 'time-up',
    });
    expect(again).toStrictEqual([['m1', 4]]);
  });

  it('counts a failure of an event that runs out of time alone, if Neo4j answers', async () => {
    const { ports, again } = world([event(1, 'a')]);
    const applyBatch = () => Promise.reject(new Fault('time-up', 'no time left'));
    const report = await consume([message(1)], { ...ports, applyBatch }, options);
    expect({ failed: report.failed, again }).toStrictEqual({ failed: 1, again: [['m1', 5]] });
  });

  it('tries events that ran out of time together in ten groups, least slow first', async () => {
    const events = Array.from({ length: 25 }, (_, index) => event(index + 1, `a${index + 1}`));
    const { ports, batches } = world(events);
    const slowOf = (number: number) => (number === 1 ? 2 : 1);
    const readFailures = async () =>
      new Map(
        events
          .slice(0, 24)
          .map(({ eventId: id }, index) => [id, { ...onceFailed, failures: null, slow: slowOf(index + 1) }]),
      );
    await consume(
      events.map((_, index) => message(index + 1, 2)),
      { ...ports, readFailures },
      options,
    );
    expect(batches.map((keys) => keys.length)).toStrictEqual([1, ...Array.from({ length: 7 }, () => 3), 2, 1]);
    expect([batches[0], batches.at(-1)]).toStrictEqual([['graph:a25'], ['graph:a1']]);
  });

  it('starts another event with little time remaining if the whole invocation is short', async () => {
    const { ports, batches } = world([event(1, 'a'), event(2, 'b')]);
    const readFailures = async () => new Map([1, 2].map((number) => [eventId(number), onceFailed]));
    const remaining = [16_000, 13_000, 12_500];
    const remainingMillis = () => remaining.shift() ?? 12_100;
    await consume([message(1, 2), message(2, 2)], { ...ports, readFailures, remainingMillis }, options);
    expect(batches).toStrictEqual([['graph:a'], ['graph:b']]);
  });
});

/** Little time remains after the start. */
function endingSoon(): () => number {
  const remaining = [60_000];
  return () => remaining.shift() ?? 14_999;
}

describe('the consumer reports the outcome of each event once', () => {
  it('if it is applied, superseded, or was settled before', async () => {
    const { ports, reported } = world([event(1, 'a'), event(2, 'a')]);
    const processed = { status: 'processed', event: { eventId: eventId(3), traceparent: 'theirs' } } as const;
    const traceparents: (string | undefined)[] = [];
    const log: ConsumePorts['log'] = {
      ...ports.log,
      eventOutcome: (one, outcome) => {
        ports.log.eventOutcome(one, outcome);
        traceparents.push(one.traceparent);
      },
    };
    const fetchEvents: ConsumePorts['fetchEvents'] = (ids) =>
      oneChunk(readChunks(ports.fetchEvents(ids)).then((events) => [...events, processed]));
    // The third is delivered twice, the fourth was purged.
    const batch = [message(3), message(2), message(1), { ...message(3), messageId: 'copy' }, message(4)];
    await consume(batch, { ...ports, fetchEvents, log }, options);
    expect(reported).toStrictEqual([
      [eventId(3), { outcome: 'settled-before' }],
      [eventId(2), { outcome: 'applied' }],
      [eventId(1), { outcome: 'superseded' }],
      [eventId(4), { outcome: 'settled-before' }],
    ]);
    expect(traceparents).toStrictEqual(['theirs', undefined, undefined, undefined]);
  });

  it('if it is dead, with the code, and if it is in conflict, with the number of conflicts', async () => {
    const { ports, reported } = world([event(1, 'a'), event(2, 'b')], (key) =>
      key === 'graph:a' ? conflict : refused,
    );
    await consume([message(1), message(2)], ports, options);
    expect(reported).toStrictEqual([
      [eventId(2), { outcome: 'dead', code: 'constraint-violation' }],
      [eventId(1), { outcome: 'conflict', code: 'ownership-conflict', conflicts: 1 }],
    ]);
  });

  it('if its projection threw, with the place', async () => {
    const { ports, reported } = world([event(1, 'a')]);
    const cause = new Error('no such field');
    const project = () => {
      throw new Fault('projection-failed', 'The projection of "order" threw Error.', { cause });
    };
    await consume([message(1)], { ...ports, project }, options);
    const stack = expect.stringMatching(/no such field.*consume\.test\.ts/s);
    expect(reported).toStrictEqual([[eventId(1), { outcome: 'dead', code: 'projection-failed', stack }]]);
  });

  it('if it was given up or is invalid', async () => {
    const { ports, reported } = world([]);
    const broken = new Map([[eventId(1), { together: 0, alone: 2 }]]);
    const invalid = { status: 'invalid', event: { eventId: eventId(2) }, code: 'event-invalid', reason: 'no' } as const;
    const given = { readCrashedTrials: async () => broken, fetchEvents: () => oneChunk([invalid]) };
    await consume([message(1, 2), message(2)], { ...ports, ...given }, options);
    expect(reported).toStrictEqual([
      [eventId(1), { outcome: 'dead', code: 'consumer-crashed' }],
      [eventId(2), { outcome: 'dead', code: 'event-invalid' }],
    ]);
  });

  it('even for a holder that was applied to resolve a conflict', async () => {
    let isReleased = false;
    const { ports, reported } = world([event(1, 'a')], (key) =>
      key === 'graph:a' && !isReleased ? conflict : { outcome: 'applied' },
    );
    const fetchPending = async () => {
      isReleased = true;
      return [event(9, 'b')];
    };
    await consume([message(1)], { ...ports, fetchPending }, options);
    expect(new Map(reported)).toStrictEqual(
      new Map([
        [eventId(1), { outcome: 'applied' }],
        [eventId(9), { outcome: 'applied' }],
      ]),
    );
  });

  it('if a server fails: the unsettled events are retried, and why', async () => {
    const { ports, reported } = world([event(1, 'a'), event(2, 'b')]);
    const applyBatch: ConsumePorts['applyBatch'] = async (states, results) => {
      for (const { key } of states.slice(0, 1)) results.set(key, { outcome: 'applied' });
      throw new Fault('neo4j-unavailable', 'gone');
    };
    await expect(consume([message(1), message(2)], { ...ports, applyBatch }, options)).rejects.toThrow('gone');
    expect(reported).toStrictEqual([
      [eventId(1), { outcome: 'applied' }],
      [eventId(2), { outcome: 'retried', code: 'neo4j-unavailable' }],
    ]);
  });

  it('if it cannot be acknowledged: as retried, not as applied', async () => {
    const { ports, reported } = world([event(1, 'a')]);
    const acknowledgeEvents = () => Promise.reject(new Fault('mongodb-unavailable', 'gone'));
    await expect(consume([message(1)], { ...ports, acknowledgeEvents }, options)).rejects.toThrow('gone');
    expect(reported).toStrictEqual([[eventId(1), { outcome: 'retried', code: 'mongodb-unavailable' }]]);
  });

  it('if no time remains to start it alone', async () => {
    const { ports, reported } = world([event(1, 'a')]);
    const broken = new Map([[eventId(1), { together: 1, alone: 0 }]]);
    const late = { ...ports, readCrashedTrials: async () => broken, remainingMillis: endingSoon() };
    await consume([message(1, 3)], late, options);
    expect(reported).toStrictEqual([[eventId(1), { outcome: 'retried', code: 'time-up' }]]);
  });
});

describe('a message with several events', () => {
  it('leaves the queue once all of them are settled, now or before', async () => {
    const { ports, acknowledged } = world([event(1, 'a'), event(2, 'b')]);
    const report = await consume([packOf([1, 2, 3])], ports, options);
    expect(acknowledged.sort()).toStrictEqual([eventId(1), eventId(2)]);
    expect(report).toMatchObject({ failedMessageIds: [], applied: 2, settledBefore: 1 });
  });

  it('stays in the queue for one unsettled event, and returns when that one is due', async () => {
    const { ports, acknowledged, again } = world([event(1, 'a'), event(2, 'b')], (key) =>
      key === 'graph:b' ? conflict : { outcome: 'applied' },
    );
    const report = await consume([packOf([1, 2])], ports, options);
    expect(acknowledged).toStrictEqual([eventId(1)]);
    expect({ failed: report.failedMessageIds, again }).toStrictEqual({ failed: ['p1-2'], again: [['p1-2', 30]] });
  });

  it('returns for the event that is due first, and costs the others no attempt', async () => {
    const { ports, batches, again } = world([event(1, 'a'), event(2, 'b'), event(3, 'c')], () => conflict);
    const waiting = { failures: null, slow: 0, conflicts: 3, secondsAgo: 10 };
    const countConflict = async () => 1;
    const readFailures = async () => new Map([[eventId(2), waiting]]);
    await consume([packOf([1, 2, 3], 2)], { ...ports, readFailures, countConflict }, options);
    expect(batches.flat()).not.toContain('graph:b');
    expect(again).toStrictEqual([['p1-2-3', 30]]);
  });

  it('waits for its only remaining event, whenever it is delivered', async () => {
    const { ports, batches, again } = world([event(2, 'b')], () => conflict);
    const waiting = { failures: 2, slow: 0, conflicts: 3, secondsAgo: 10 };
    const readFailures = async () => new Map([[eventId(2), waiting]]);
    const report = await consume([packOf([1, 2], 2)], { ...ports, readFailures }, options);
    expect({ batches, again, failed: report.failedMessageIds }).toStrictEqual({
      batches: [],
      again: [['p1-2', 110]],
      failed: ['p1-2'],
    });
  });

  it('still has its other events applied if one was given up', async () => {
    const { ports, dead, acknowledged } = world([event(1, 'a'), event(2, 'b')]);
    const readCrashedTrials = async () => new Map([[eventId(2), { together: 1, alone: 2 }]]);
    const report = await consume([packOf([1, 2], 5)], { ...ports, readCrashedTrials }, options);
    expect(dead).toMatchObject([{ eventId: eventId(2), code: 'consumer-crashed' }]);
    expect({ acknowledged, failed: report.failedMessageIds }).toStrictEqual({ acknowledged: [eventId(1)], failed: [] });
  });

  it('counts once as redelivered, and settles once if delivered twice', async () => {
    const { ports, acknowledged } = world([event(1, 'a'), event(2, 'b')]);
    const twice = [packOf([1, 2], 2), { ...packOf([1, 2], 2), messageId: 'copy' }, message(1)];
    expect(await consume(twice, ports, options)).toMatchObject({ redelivered: 2, failedMessageIds: [], applied: 2 });
    expect(acknowledged.sort()).toStrictEqual([eventId(1), eventId(2)]);
  });
});
