/**
 * Which aggregates have no document, according to the graph and the outbox. The backfill began at
 * second 1,000; transactions take at most ten seconds.
 */
import { expect, it } from 'vitest';
import { type PrunePorts, prune } from '../../../cli/backfill/prune.ts';
import { type Position, toPosition } from '../../../lib/contract/position.ts';

const at = (second: number) => toPosition({ t: second, i: 5 });
const options = { startedAt: at(1_000), transactionSeconds: 10, maxDeleted: 10 };

interface World {
  /** Live and deleted aggregates in the graph. */
  readonly live?: Readonly<Record<string, number>>;
  readonly deleted?: Readonly<Record<string, number>>;
  readonly unsettled?: Readonly<
    Record<
      string,
      { readonly second: number; readonly status?: 'pending' | 'dead'; readonly operation?: 'upsert' | 'delete' }
    >
  >;
}

async function pruneWorld(
  { live = {}, deleted = {}, unsettled = {} }: World,
  given: Partial<typeof options> = {},
  isSameGraph: PrunePorts['isSameGraph'] = async () => true,
) {
  const recorded: { aggregateId: string; knownPosition: Position }[] = [];
  const after = <Item>(items: readonly Item[], idOf: (item: Item) => string, last: string, limit: number) =>
    items.filter((item) => idOf(item) > last).slice(0, limit);
  const known = new Map(Object.entries({ ...live, ...deleted }).map(([id, second]) => [id, at(second)]));
  const ports: PrunePorts = {
    listAggregates: async (notAfter, last, limit) => {
      const all = Object.entries(live).map(([aggregateId, second]) => ({ aggregateId, position: at(second) }));
      return after(all, ({ aggregateId }) => aggregateId, last, limit).filter(({ position }) => position <= notAfter);
    },
    readPositions: async () => known,
    listUnsettledIds: async (last, limit) => after(Object.keys(unsettled), (id) => id, last, limit),
    newestUnsettled: async (ids) =>
      new Map(
        ids.flatMap((id) => {
          const event = unsettled[id];
          const { second = 0, status = 'dead', operation = 'upsert' } = event ?? {};
          return event === undefined ? [] : [[id, { position: at(second), status, operation }] as const];
        }),
      ),
    recordDeletions: async (missing) => void recorded.push(...missing),
    isSameGraph,
    pace: async () => undefined,
    isInterrupted: () => false,
  };
  return { report: await prune(ports, { ...options, ...given }), recorded };
}

it.each<readonly [string, World, Readonly<Record<string, number>>]>([
  ['one that the graph knows only from earlier', { live: { a: 500 } }, { a: 500 }],
  ['not one that was recorded again', { live: { a: 1_001 } }, {}],
  [
    'not one whose new event is pending',
    { live: { a: 500 }, unsettled: { a: { second: 1_001, status: 'pending' } } },
    {},
  ],
  ['not one whose new event is dead', { live: { a: 500 }, unsettled: { a: { second: 1_001 } } }, {}],
  ['not one whose transaction may commit after the scan passed it', { live: { a: 995 } }, {}],
  [
    'one with an older dead event, after the later of both',
    { live: { a: 500 }, unsettled: { a: { second: 600 } } },
    { a: 600 },
  ],
  [
    'one with a dead event older than what the graph knows',
    { live: { a: 500 }, unsettled: { a: { second: 400 } } },
    { a: 500 },
  ],
  [
    'not one that a pending deletion will end',
    { live: { a: 500 }, unsettled: { a: { second: 600, status: 'pending', operation: 'delete' } } },
    {},
  ],
  [
    'one that the graph does not know, but that a dead upsert would create',
    { unsettled: { a: { second: 600 } } },
    { a: 600 },
  ],
  [
    'one whose deletion in the graph precedes a dead upsert',
    { deleted: { a: 500 }, unsettled: { a: { second: 600 } } },
    { a: 600 },
  ],
  [
    'not one whose deletion is later than the dead upsert',
    { deleted: { a: 700 }, unsettled: { a: { second: 600 } } },
    {},
  ],
])('prunes %s', async (_, world, expected) => {
  const { recorded } = await pruneWorld(world);
  const positions = new Map(recorded.map(({ aggregateId, knownPosition }) => [aggregateId, knownPosition]));
  expect(positions).toStrictEqual(new Map(Object.entries(expected).map(([id, second]) => [id, at(second)])));
});

it('prunes all or nothing if there are too many, over several pages', async () => {
  const live = Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`id-${10_000 + index}`, 500]));
  expect(await pruneWorld({ live })).toStrictEqual({ report: { outcome: 'too-many', missing: 1_200 }, recorded: [] });
  const all = await pruneWorld({ live }, { maxDeleted: 1_200 });
  expect(all.report).toStrictEqual({ outcome: 'done', pruned: 1_200 });
  expect(new Set(all.recorded.map(({ aggregateId }) => aggregateId)).size).toBe(1_200);
});

it('stops pruning once the graph is not the one it began with', async () => {
  const live = Object.fromEntries(Array.from({ length: 1_200 }, (_, index) => [`a${10_000 + index}`, 500]));
  let looks = 0;
  const once = async () => {
    looks += 1;
    return looks === 1;
  };
  const { report, recorded } = await pruneWorld({ live }, { maxDeleted: 1_200 }, once);
  expect(report).toStrictEqual({ outcome: 'graph-changed', pruned: 500 });
  expect(recorded).toHaveLength(500);
});
