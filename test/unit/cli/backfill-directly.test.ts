/** The flow of a direct backfill, with documents whose ids are numbers. */
import { expect, it } from 'vitest';
import { backfillDirectly, type DirectPorts } from '../../../cli/backfill/backfill-directly.ts';
import type { BackfillProgress } from '../../../cli/backfill/record-all.ts';
import type { DocumentState } from '../../../cli/verify/ports.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import type { AggregateState } from '../../../lib/graph/aggregate-state.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

const options = {
  aggregateType: 'thing',
  transactionSeconds: 120,
  maxPending: 10,
  chunkDocuments: 2,
  concurrency: 2,
};
const committedUntil = toPosition({ t: 1_000, i: 7 });
const allIds = [1, 2, 3, 4, 5];

const stateOf = (id: number): DocumentState<number> => ({
  id,
  aggregateId: `${id}`,
  subgraph: readSubgraph({ nodes: [{ label: 'Thing', key: { id } }] }),
});

function world(given: Partial<DirectPorts<number>> = {}) {
  const applied: AggregateState[] = [];
  const recorded: number[] = [];
  const saved: BackfillProgress<number>[] = [];
  const logged: string[] = [];
  const ports: DirectPorts<number> = {
    readProgress: async () => saved.at(-1) ?? null,
    saveProgress: async (progress) => void saved.push(progress),
    readClusterTime: async () => committedUntil,
    listDocuments: async (after, limit) => {
      const ids = allIds.filter((id) => id > (after?.id ?? 0)).slice(0, limit);
      return { documents: ids.map(stateOf), committedUntil, readAtMillis: 0 };
    },
    readAgain: async (ids) => ({ documents: ids.map(stateOf), committedUntil, readAtMillis: 0 }),
    applyBatch: async (states, results) => {
      applied.push(...states);
      for (const { key } of states) results.set(key, { outcome: 'applied' });
    },
    recordCurrentStates: async (ids) => {
      recorded.push(...ids);
      return { recorded: ids.length, unprojectable: 0, unrecordable: [] };
    },
    countPending: async () => 0,
    nowMillis: () => 0,
    pace: async () => undefined,
    sleep: async (millis) => void logged.push(`sleeps ${millis}`),
    isInterrupted: () => false,
    progress: () => undefined,
    log: {
      waiting: () => void logged.push('waits'),
      unavailable: (code) => void logged.push(code),
      unrecordable: (id) => void logged.push(`unrecordable ${id}`),
    },
    ...given,
  };
  const keys = () => applied.map(({ key }) => key);
  return { ports, applied, keys, recorded, saved, logged };
}

const keysOf = (ids: readonly number[]) => ids.map((id) => `thing:${id}`);
const unavailable = () => new Fault('neo4j-unavailable', 'for a test');

it('applies every document once, at a position one transaction time before the read', async () => {
  const { ports, applied, keys, recorded } = world();
  expect(await backfillDirectly(ports, options)).toStrictEqual({
    outcome: 'done',
    documents: 5,
    applied: 5,
    superseded: 0,
    throughOutbox: 0,
    unprojectable: 0,
    unrecordable: 0,
  });
  expect(keys()).toStrictEqual(keysOf(allIds));
  expect(new Set(applied.map(({ position }) => position))).toStrictEqual(new Set([toPosition({ t: 880, i: 0 })]));
  expect(recorded).toStrictEqual([]);
});

it('does not save a chunk as done while an earlier one is running', async () => {
  const first = Promise.withResolvers<void>();
  const { ports, saved } = world();
  let begun = 0;
  let savedBeforeFirst: unknown;
  await backfillDirectly(
    {
      ...ports,
      applyBatch: async (states, results) => {
        begun += 1;
        if (begun === 1) await first.promise;
        await ports.applyBatch(states, results);
        if (begun !== 2) return;
        // The second chunk is done. Only now can the first one finish.
        savedBeforeFirst = [...saved];
        first.resolve();
      },
    },
    options,
  );
  expect(savedBeforeFirst).toStrictEqual([]);
  expect(saved.map(({ after }) => after)).toStrictEqual([{ id: 2 }, { id: 4 }, { id: 5 }]);
});

it('the next run starts at the failed chunk, even if a later one was done', async () => {
  const { ports, saved, keys } = world();
  const failure = new Error('killed');
  const applyBatch: typeof ports.applyBatch = (states, results) =>
    states.some(({ key }) => key === 'thing:3') ? Promise.reject(failure) : ports.applyBatch(states, results);
  await expect(backfillDirectly({ ...ports, applyBatch }, { ...options, concurrency: 3 })).rejects.toBe(failure);
  expect(keys()).toContain('thing:5');
  expect(saved.at(-1)).toMatchObject({ after: { id: 2 }, recorded: 2 });
  expect(await backfillDirectly(ports, options)).toMatchObject({ outcome: 'done', documents: 5, applied: 3 });
});

it('if interrupted, finishes and saves what is running', async () => {
  const { ports, keys, saved } = world();
  const report = await backfillDirectly({ ...ports, isInterrupted: () => keys().length >= 2 }, options);
  expect(report.outcome).toBe('interrupted');
  expect(saved.at(-1)?.recorded).toBe(keys().length);
});

it('waits for a server that is briefly unavailable, and does not repeat what it applied', async () => {
  const { ports, keys, logged } = world();
  let failures = 0;
  const applyBatch: typeof ports.applyBatch = async (states, results) => {
    if (failures < 2) {
      failures += 1;
      await ports.applyBatch(states.slice(0, 1), results);
      throw unavailable();
    }
    await ports.applyBatch(states, results);
  };
  const report = await backfillDirectly({ ...ports, applyBatch }, { ...options, chunkDocuments: 5 });
  expect(report).toMatchObject({ outcome: 'done', applied: 5 });
  expect(keys()).toStrictEqual(keysOf(allIds));
  expect(logged).toStrictEqual(['neo4j-unavailable', 'sleeps 500', 'neo4j-unavailable', 'sleeps 1000']);
});

it('fails if a server stays unavailable', async () => {
  const fault = unavailable();
  const { ports } = world({ applyBatch: () => Promise.reject(fault) });
  await expect(backfillDirectly(ports, options)).rejects.toBe(fault);
});

it.each([
  ['the graph', { applyBatch: () => Promise.reject(unavailable()) }],
  ['MongoDB', { listDocuments: () => Promise.reject(new Fault('mongodb-unavailable', 'for a test')) }],
])('an interruption while %s is unavailable is not a failure, and the next run does everything', async (_, given) => {
  const { ports, saved } = world();
  let interrupted = false;
  const sleep = async () => {
    interrupted = true;
  };
  const report = await backfillDirectly({ ...ports, ...given, sleep, isInterrupted: () => interrupted }, options);
  expect({ report, saved }).toMatchObject({ report: { outcome: 'interrupted', documents: 0, applied: 0 }, saved: [] });
  expect(await backfillDirectly(ports, options)).toMatchObject({ outcome: 'done', documents: 5, applied: 5 });
});

it('fails for any other error, even if interrupted', async () => {
  const failure = new Error('for a test');
  let interrupted = false;
  const { ports } = world({ isInterrupted: () => interrupted });
  const applyBatch = () => {
    interrupted = true;
    return Promise.reject(failure);
  };
  await expect(backfillDirectly({ ...ports, applyBatch }, options)).rejects.toBe(failure);
});

it.each([
  ['exactly ten minutes are applied', 600_000, 880],
  ['more than ten minutes are read again', 600_001, 1_880],
])('states of %s, so no later tombstone can have been purged', async (_, age, second) => {
  const { ports, applied } = world({ nowMillis: () => age });
  const readAgain: typeof ports.readAgain = async (ids) => ({
    // The second one was deleted in the meantime.
    documents: ids.filter((id) => id !== 2).map(stateOf),
    committedUntil: toPosition({ t: 2_000, i: 1 }),
    readAtMillis: age,
  });
  const report = await backfillDirectly({ ...ports, readAgain }, options);
  expect(new Set(applied.map(({ position }) => position))).toStrictEqual(new Set([toPosition({ t: second, i: 0 })]));
  expect(report).toMatchObject({ documents: 5, applied: second === 880 ? 5 : 4, throughOutbox: 0 });
});

it('sends documents that it cannot apply directly through the outbox', async () => {
  const documents: readonly DocumentState<number>[] = [
    { ...stateOf(1), subgraph: new Fault('payload-invalid', 'for a test') },
    { ...stateOf(2), aggregateId: null },
    { ...stateOf(3), aggregateId: 'x'.repeat(513) },
    stateOf(4),
    stateOf(5),
    stateOf(6),
    { ...stateOf(7), aggregateId: '6' },
    stateOf(8),
  ];
  const { ports, recorded, logged } = world();
  const report = await backfillDirectly(
    {
      ...ports,
      listDocuments: async (after) => ({ documents: after === null ? documents : [], committedUntil, readAtMillis: 0 }),
      applyBatch: async (states, results) => {
        for (const { key } of states) results.set(key, { outcome: 'applied' });
        results.set('thing:4', { outcome: 'refused', code: 'graph-refused', message: 'for a test' });
        const conflict = {
          code: 'ownership-conflict' as const,
          refused: 'thing:5',
          holder: 'thing:9',
          sharedNode: null,
          element: 'a node',
          heldInGraph: true,
        };
        results.set('thing:5', { outcome: 'conflict', conflict });
        results.set('thing:8', { outcome: 'superseded' });
      },
      recordCurrentStates: async (ids) => {
        recorded.push(...ids);
        return { recorded: ids.length - 2, unprojectable: 1, unrecordable: [2, 3].map((id) => ({ id, reason: '' })) };
      },
    },
    options,
  );
  expect(recorded).toStrictEqual([1, 2, 3, 4, 5, 7]);
  expect(report).toMatchObject({
    documents: 8,
    applied: 1,
    superseded: 1,
    throughOutbox: 4,
    unprojectable: 1,
    unrecordable: 2,
  });
  expect(logged).toStrictEqual(['unrecordable 2', 'unrecordable 3']);
});

it('does not save a chunk as done if interrupted while it waits for the outbox', async () => {
  let waited = 0;
  const { ports, saved, recorded } = world({
    countPending: async () => 11,
    isInterrupted: () => waited > 0,
    applyBatch: async (states, results) => {
      for (const { key } of states)
        results.set(key, { outcome: 'refused', code: 'graph-refused', message: 'for a test' });
    },
    sleep: async () => {
      waited += 1;
    },
  });
  expect(await backfillDirectly(ports, options)).toMatchObject({ outcome: 'interrupted', documents: 0 });
  expect({ saved, recorded }).toStrictEqual({ saved: [], recorded: [] });
});
