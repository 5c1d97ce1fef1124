import { expect, it } from 'vitest';
import { Share } from '../../../lib/worker/share.ts';

const aggregates = Array.from({ length: 10_000 }, (_, index) => ({
  aggregateType: index % 2 === 0 ? 'person' : 'graph',
  aggregateId: `${index}`,
}));

/** Workers that all see each other. */
function groupOf(...ids: readonly string[]): readonly Share[] {
  return ids.map((id) => {
    const share = new Share(id);
    share.adopt(ids);
    return share;
  });
}

const ownersOf = (workers: readonly Share[]) =>
  aggregates.map((aggregate) => workers.filter((share) => share.includes(aggregate)).map(({ workerId }) => workerId));

it('a worker on its own applies everything, before and after it has seen the group', () => {
  const share = new Share('a');
  expect(share.workers).toBe(1);
  expect(aggregates.every((aggregate) => share.includes(aggregate))).toBe(true);
  share.adopt(['a']);
  expect(share.workers).toBe(1);
  expect(aggregates.every((aggregate) => share.includes(aggregate))).toBe(true);
});

it.each([2, 3, 7])('each aggregate is in the share of exactly one of %i workers, and the shares are even', (size) => {
  const workers = groupOf(...Array.from({ length: size }, (_, index) => `worker-${index}`));
  const owners = ownersOf(workers);
  expect(owners.every((ids) => ids.length === 1)).toBe(true);
  const counts = [...Map.groupBy(owners.flat(), (id) => id).values()].map(({ length }) => length);
  expect(counts).toHaveLength(size);
  const even = aggregates.length / size;
  expect(Math.min(...counts)).toBeGreaterThan(0.9 * even);
  expect(Math.max(...counts)).toBeLessThan(1.1 * even);
});

it('the order in which a worker sees the group changes no share', () => {
  const ids = ['a', 'b', 'c'];
  const [share, other] = [new Share('b'), new Share('b')];
  share.adopt(ids);
  other.adopt([...ids].reverse());
  expect(aggregates.filter((one) => share.includes(one))).toStrictEqual(
    aggregates.filter((one) => other.includes(one)),
  );
});

it('a worker that leaves moves its own aggregates, and no others', () => {
  const before = ownersOf(groupOf('a', 'b', 'c'));
  const after = ownersOf(groupOf('a', 'b'));
  const moved = before.filter(([owner], index) => owner !== after[index]?.[0]);
  expect(moved.every(([owner]) => owner === 'c')).toBe(true);
  expect(moved).toHaveLength(before.filter(([owner]) => owner === 'c').length);
});

it('the group is complete when one has joined, and not when one has left, also beside one that joins', () => {
  const share = new Share('a');
  expect(share.adopt(['a', 'b'])).toBe(true);
  expect(share.adopt(['c', 'a', 'b'])).toBe(true);
  expect(share.workers).toBe(3);
  expect(share.adopt(['a', 'c'])).toBe(false);
  expect(share.adopt(['a', 'c'])).toBe(true);
  expect(share.adopt(['a', 'd'])).toBe(false);
  expect(share.workers).toBe(2);
});

it('a worker that was counted out for a while is complete when it is back', () => {
  const share = new Share('a');
  share.adopt(['a', 'b']);
  expect(share.adopt(['b'])).toBe(true);
  expect(share.workers).toBe(2);
  expect(share.adopt(['b', 'a'])).toBe(true);
});
