/** What is newer than an event, by what the outbox and the graph know of its aggregate. */
import { expect, it } from 'vitest';
import { type EventPlace, type NewerPorts, newerStates } from '../../../cli/dead/newer-state.ts';
import { type Position, toPosition } from '../../../lib/contract/position.ts';

const at = (t: number) => toPosition({ t, i: 1 });
const place = (aggregateId: string, position: Position | null, aggregateType = 'order'): EventPlace => {
  return { aggregateType, aggregateId, position };
};

const nothing: NewerPorts = { newestUnsettled: async () => new Map(), readPositions: async () => new Map() };
const unsettled = (t: number, status: 'pending' | 'dead'): Pick<NewerPorts, 'newestUnsettled'> => {
  return { newestUnsettled: async () => new Map([['a', { position: at(t), status }]]) };
};
const known = (t: number): Pick<NewerPorts, 'readPositions'> => {
  return { readPositions: async () => new Map([['a', at(t)]]) };
};

it.each<readonly [string, NewerPorts, string]>([
  ['where nothing is known of its aggregate', nothing, 'none'],
  ['where it is itself the newest in the outbox', { ...nothing, ...unsettled(5, 'dead') }, 'none'],
  ['where the graph has only what came before', { ...nothing, ...known(4) }, 'none'],
  ['where the graph has just this event', { ...nothing, ...known(5) }, 'none'],
  ['where the graph has what came after', { ...nothing, ...known(6) }, 'applied'],
  ['where a later one is pending', { ...nothing, ...unsettled(6, 'pending') }, 'pending'],
  ['where a later one is dead', { ...nothing, ...unsettled(6, 'dead') }, 'dead'],
  ['where a later one is dead, and one between them is applied', { ...unsettled(9, 'dead'), ...known(6) }, 'applied'],
])('an event %s', async (_, ports, expected) => {
  expect(await newerStates(ports, [place('a', at(5))])).toStrictEqual([expected]);
});

it('nothing is newer than an event without a position', async () => {
  expect(await newerStates({ ...nothing, ...known(6) }, [place('a', null)])).toStrictEqual(['none']);
});

it('each type is asked for its own aggregates, in parts, each aggregate once, and the answers keep the order of the events', async () => {
  const asked: [string, number][] = [];
  const ports: NewerPorts = {
    newestUnsettled: async (type, ids) => {
      asked.push([type, ids.length]);
      return new Map();
    },
    readPositions: async (type, ids) => new Map(type === 'cart' ? ids.map((id) => [id, at(9)]) : []),
  };
  const events = Array.from({ length: 1_100 }, (_, index) => place(`id-${index}`, at(5)));
  events.splice(1, 0, place('x', at(5), 'cart'), place('x', at(10), 'cart'));
  const states = await newerStates(ports, events);
  expect(states.slice(0, 4)).toStrictEqual(['none', 'applied', 'none', 'none']);
  expect(states).toHaveLength(1_102);
  expect(asked).toStrictEqual([
    ['order', 500],
    ['order', 500],
    ['order', 100],
    ['cart', 1],
  ]);
});
