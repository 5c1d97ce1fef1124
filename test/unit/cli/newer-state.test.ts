/** What is newer than an event, according to the outbox and the graph. */
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
  ['of an unknown aggregate', nothing, 'none'],
  ['that is the newest in the outbox', { ...nothing, ...unsettled(5, 'dead') }, 'none'],
  ['if the graph has only an older state', { ...nothing, ...known(4) }, 'none'],
  ['if the graph has exactly this event', { ...nothing, ...known(5) }, 'none'],
  ['if the graph has a later state', { ...nothing, ...known(6) }, 'applied'],
  ['if a later one is pending', { ...nothing, ...unsettled(6, 'pending') }, 'pending'],
  ['if a later one is dead', { ...nothing, ...unsettled(6, 'dead') }, 'dead'],
  ['if a later one is dead, and one between them is applied', { ...unsettled(9, 'dead'), ...known(6) }, 'applied'],
])('an event %s', async (_, ports, expected) => {
  expect(await newerStates(ports, [place('a', at(5))])).toStrictEqual([expected]);
});

it('nothing is newer than an event without a position', async () => {
  expect(await newerStates({ ...nothing, ...known(6) }, [place('a', null)])).toStrictEqual(['none']);
});

it('queries each aggregate of a type once, in chunks, and returns results in the order of events', async () => {
  const queries: [string, number][] = [];
  const ports: NewerPorts = {
    newestUnsettled: async (type, ids) => {
      queries.push([type, ids.length]);
      return new Map();
    },
    readPositions: async (type, ids) => new Map(type === 'cart' ? ids.map((id) => [id, at(9)]) : []),
  };
  const events = Array.from({ length: 1_100 }, (_, index) => place(`id-${index}`, at(5)));
  events.splice(1, 0, place('x', at(5), 'cart'), place('x', at(10), 'cart'));
  const states = await newerStates(ports, events);
  expect(states.slice(0, 4)).toStrictEqual(['none', 'applied', 'none', 'none']);
  expect(states).toHaveLength(1_102);
  expect(queries).toStrictEqual([
    ['order', 500],
    ['order', 500],
    ['order', 100],
    ['cart', 1],
  ]);
});
