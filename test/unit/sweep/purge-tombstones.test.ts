import { expect, it } from 'vitest';
import { toPosition } from '../../../lib/contract/position.ts';
import { purgeTombstones, type TombstonePorts } from '../../../lib/sweep/purge-tombstones.ts';
import type { ListedTombstone } from '../../../lib/sweep/tombstone.ts';

const tombstone = (key: string, isRemovable = true): ListedTombstone => ({
  key,
  position: toPosition({ t: 1, i: 1 }),
  deletedAt: `2026-01-01T00:00:0${key.length}Z`,
  isRemovable,
});

function fakeTombstones(pages: readonly (readonly ListedTombstone[])[], given: Partial<TombstonePorts> = {}) {
  const removed: string[] = [];
  const held: string[] = [];
  const after: unknown[] = [];
  const ports: TombstonePorts = {
    listTombstones: async (page) => {
      after.push(page.after);
      return pages[after.length - 1] ?? [];
    },
    holdTombstones: async (keys) => void held.push(...keys),
    removeTombstones: async (tombstones) => removed.push(...tombstones.map(({ key }) => key)) && tombstones.length,
    unsettledAggregates: async () => new Set(),
    readRetentionSeconds: async () => 3_600,
    remainingMillis: () => 30_000,
    ...given,
  };
  return { ports, removed, held, after };
}

it('purges a tombstone, but holds one whose aggregate has a pending or dead event', async () => {
  const { ports, removed, held } = fakeTombstones([[tombstone('a'), tombstone('b')]], {
    unsettledAggregates: async () => new Set(['a']),
  });
  expect(await purgeTombstones(ports, 30)).toBe(1);
  expect({ removed, held }).toStrictEqual({ removed: ['b'], held: ['a'] });
});

it('keeps a tombstone that is too young or was held recently, and holds it again if necessary', async () => {
  const { ports, removed, held } = fakeTombstones([[tombstone('a', false), tombstone('b', false)]], {
    unsettledAggregates: async () => new Set(['b']),
  });
  expect(await purgeTombstones(ports, 30)).toBe(0);
  expect({ removed, held }).toStrictEqual({ removed: [], held: ['b'] });
});

it('reads all pages, each from the end of the last one', async () => {
  const pages = [[tombstone('a'), tombstone('bb')], [tombstone('ccc')]];
  const { ports, after } = fakeTombstones(pages);
  expect(await purgeTombstones(ports, 30)).toBe(3);
  expect(after).toStrictEqual([null, tombstone('bb'), tombstone('ccc')]);
});

it('starts no page with five seconds remaining', async () => {
  const remaining = [5_001, 5_000];
  const { ports } = fakeTombstones([[tombstone('a')], [tombstone('b')]], {
    remainingMillis: () => remaining.shift() ?? 0,
  });
  expect(await purgeTombstones(ports, 30)).toBe(1);
});

it('purges none if processed events are kept forever, because any of them may be replayed', async () => {
  const { ports, removed } = fakeTombstones([[tombstone('a')]], { readRetentionSeconds: async () => null });
  expect(await purgeTombstones(ports, 30)).toBe(0);
  expect(removed).toStrictEqual([]);
});
