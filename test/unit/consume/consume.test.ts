import { describe, expect, it } from 'vitest';
import type { AggregateResult } from '../../../lib/apply/apply-batch.ts';
import { type ConsumePorts, consume, type QueueMessage } from '../../../lib/consume/consume.ts';
import type { DeadEvent } from '../../../lib/contract/dead-event.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import type { OutboxEvent } from '../../../lib/contract/outbox-event.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import { silentLog } from '../../silent-log.ts';

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
});

/** A consumer over these pending events; `resultOf` says what the graph does with the state of an event's position. */
function world(
  pending: readonly OutboxEvent[],
  resultOf: (key: string, second: number) => AggregateResult = () => ({ outcome: 'applied' }),
) {
  const batches: string[][] = [];
  const acknowledged: string[] = [];
  const dead: DeadEvent[] = [];
  const ports: ConsumePorts = {
    project: () => null,
    applyBatch: async (states, results) => {
      batches.push(states.map((state) => state.key));
      for (const { key, position } of states)
        results.set(key, resultOf(key, Number.parseInt(position.slice(0, 8), 16)));
    },
    fetchNewestPending: async () => [],
    fetchEvents: async (ids) =>
      pending.filter((one) => ids.includes(one.eventId)).map((one) => ({ status: 'pending', event: one })),
    acknowledgeEvents: async (ids) => acknowledged.push(...ids),
    markDead: async (events) => dead.push(...events),
    findSharers: async () => [],
    remainingMillis: () => 60_000,
    log: silentLog,
  };
  return { ports, batches, acknowledged, dead };
}
const options = { conflictMaxReceives: 3 };
const refused: AggregateResult = { outcome: 'refused', code: 'constraint-violation', message: 'no' };
const conflict: AggregateResult = {
  outcome: 'conflict',
  conflict: { refused: 'graph:a', holder: 'graph:b', element: 'A {id: 1}', identity: '["A",[]]', standing: true },
};

describe('the consumer', () => {
  it('applies only the newest event of an aggregate, and acknowledges all of them', async () => {
    const { ports, batches, acknowledged } = world([event(1, 'a'), event(2, 'a')]);
    const report = await consume([message(2), message(1)], ports, options);
    expect(batches).toStrictEqual([['graph:a']]);
    expect([acknowledged.sort(), report.applied, report.superseded, report.failedMessageIds]).toStrictEqual([
      [eventId(1), eventId(2)],
      1,
      1,
      [],
    ]);
  });

  it('settles a pointer whose event is gone', async () => {
    const { ports } = world([]);
    expect(await consume([message(1)], ports, options)).toMatchObject({ failedMessageIds: [], settledBefore: 1 });
  });

  it('leaves an unreadable message in the queue and settles its neighbours', async () => {
    const { ports, acknowledged } = world([event(1, 'a')]);
    const report = await consume([{ messageId: 'bad', body: '{', receiveCount: 1 }, message(1)], ports, options);
    expect([report.failedMessageIds, acknowledged]).toStrictEqual([['bad'], [eventId(1)]]);
  });

  it('lets the older valid event take the place of a newest that is dead', async () => {
    const { ports, acknowledged, dead } = world([event(1, 'a'), event(2, 'a')], (_, second) =>
      second === 2 ? refused : { outcome: 'applied' },
    );
    await consume([message(1), message(2)], ports, options);
    expect([acknowledged, dead.map((one) => one.eventId)]).toStrictEqual([[eventId(1)], [eventId(2)]]);
  });

  it('applies a message that was received three times alone, after the others', async () => {
    const { ports, batches } = world([event(1, 'a'), event(2, 'b'), event(3, 'c')]);
    await consume([message(1, 3), message(2), message(3)], ports, options);
    expect(batches).toStrictEqual([['graph:b', 'graph:c'], ['graph:a']]);
  });

  it('keeps an event in conflict in the queue, until it was received too often', async () => {
    const first = world([event(1, 'a')], () => conflict);
    expect(await consume([message(1, 1)], first.ports, options)).toMatchObject({
      failedMessageIds: ['m1'],
      conflicts: 1,
      dead: 0,
    });
    const last = world([event(1, 'a')], () => conflict);
    expect(await consume([message(1, 3)], last.ports, options)).toMatchObject({ failedMessageIds: [], dead: 1 });
    expect(last.dead).toMatchObject([
      { code: 'ownership-conflict', message: expect.stringMatching(/A \{id: 1\}.*graph:a.*graph:b/) },
    ]);
  });

  it("applies the holder's newest pending event together with the one in conflict", async () => {
    let letGo = false;
    const { ports, acknowledged } = world([event(1, 'a')], (key) =>
      key === 'graph:a' && !letGo ? conflict : { outcome: 'applied' },
    );
    const report = await consume(
      [message(1)],
      {
        ...ports,
        fetchNewestPending: async (keys) => {
          letGo = true;
          return keys.map(() => event(9, 'b'));
        },
      },
      options,
    );
    expect([report.failedMessageIds, acknowledged.sort()]).toStrictEqual([[], [eventId(1), eventId(9)]]);
  });

  it('throws in an outage, after acknowledging what was settled by then', async () => {
    const { ports, acknowledged } = world([event(1, 'a'), event(2, 'b')]);
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
    expect(acknowledged).toStrictEqual([eventId(1)]);
  });
});
