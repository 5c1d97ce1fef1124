/** The flow of a backfill through the outbox, with documents whose ids are numbers. */
import { expect, it } from 'vitest';
import { type BackfillProgress, type RecordAllPorts, recordAll } from '../../../cli/backfill/record-all.ts';
import { toPosition } from '../../../lib/contract/position.ts';

const options = { chunkDocuments: 2, maxPending: 10 };

function world(given: Partial<RecordAllPorts<number>> = {}) {
  const recorded: number[] = [];
  const saved: BackfillProgress<number>[] = [];
  const logged = { waiting: 0, unrecordable: [] as number[] };
  const ports: RecordAllPorts<number> = {
    readProgress: async () => saved.at(-1) ?? null,
    saveProgress: async (progress) => void saved.push(progress),
    readClusterTime: async () => toPosition({ t: 1_000, i: 1 }),
    listDocumentIds: async (after, limit) => [1, 2, 3, 4, 5].filter((id) => id > (after?.id ?? 0)).slice(0, limit),
    recordCurrentStates: async (ids) => {
      recorded.push(...ids);
      return { recorded: ids.length, unprojectable: 0, unrecordable: [] };
    },
    countPending: async () => 0,
    pace: async () => undefined,
    sleep: async () => undefined,
    isInterrupted: () => false,
    log: {
      progress: () => undefined,
      waiting: () => {
        logged.waiting += 1;
      },
      unrecordable: (id) => void logged.unrecordable.push(id),
    },
    ...given,
  };
  return { ports, recorded, saved, logged };
}

it('records every document once, and reports when it began', async () => {
  const { ports, recorded } = world();
  const report = await recordAll(ports, options);
  expect(recorded).toStrictEqual([1, 2, 3, 4, 5]);
  expect(report).toMatchObject({ outcome: 'done', recorded: 5, startedAt: toPosition({ t: 1_000, i: 1 }) });
});

it('stops after the current chunk if interrupted, and continues there with its original start', async () => {
  const { ports, recorded } = world();
  const interrupted = await recordAll({ ...ports, isInterrupted: () => recorded.length >= 2 }, options);
  expect(interrupted).toMatchObject({ outcome: 'interrupted', recorded: 2 });
  const later = { ...ports, readClusterTime: async () => toPosition({ t: 2_000, i: 1 }) };
  expect(await recordAll(later, options)).toMatchObject({
    outcome: 'done',
    recorded: 5,
    startedAt: toPosition({ t: 1_000, i: 1 }),
  });
  expect(recorded).toStrictEqual([1, 2, 3, 4, 5]);
});

it('saves its start before it records anything, so a killed run can be continued', async () => {
  const failure = new Error('killed');
  const { ports, saved } = world({ recordCurrentStates: () => Promise.reject(failure) });
  await expect(recordAll(ports, options)).rejects.toBe(failure);
  expect(saved).toStrictEqual([{ startedAt: toPosition({ t: 1_000, i: 1 }), after: null, recorded: 0 }]);
});

it('waits while more events are pending than allowed', async () => {
  let pending = 13;
  const { ports, recorded, logged } = world({
    countPending: async () => {
      pending -= 1;
      return pending;
    },
  });
  await recordAll(ports, options);
  // 12 and 11 are too many, but 10 are not.
  expect(logged.waiting).toBe(2);
  expect(recorded).toHaveLength(5);
});

it('counts unprojectable documents, names unrecordable ones, and continues', async () => {
  const { ports, logged } = world({
    recordCurrentStates: async (ids) => ({
      recorded: ids.length - 1,
      unprojectable: 1,
      unrecordable: [{ id: ids[0] ?? 0, reason: 'for a test' }],
    }),
  });
  expect(await recordAll(ports, options)).toMatchObject({ recorded: 2, unprojectable: 3, unrecordable: 3 });
  expect(logged.unrecordable).toStrictEqual([1, 3, 5]);
});
