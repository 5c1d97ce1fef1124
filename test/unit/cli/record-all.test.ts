/** The reprojection's flow, on documents whose ids are numbers. */
import { expect, it } from 'vitest';
import { type BackfillProgress, type RecordAllPorts, recordAll } from '../../../cli/backfill/record-all.ts';
import { toPosition } from '../../../lib/contract/position.ts';

const options = { chunkDocuments: 2, maxPending: 10 };

function world(given: Partial<RecordAllPorts<number>> = {}) {
  const recorded: number[] = [];
  const saved: BackfillProgress<number>[] = [];
  const said = { waiting: 0, unrecordable: [] as number[] };
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
        said.waiting += 1;
      },
      unrecordable: (id) => void said.unrecordable.push(id),
    },
    ...given,
  };
  return { ports, recorded, saved, said };
}

it('records every document once, and tells when it began', async () => {
  const { ports, recorded } = world();
  const report = await recordAll(ports, options);
  expect(recorded).toStrictEqual([1, 2, 3, 4, 5]);
  expect(report).toMatchObject({ outcome: 'done', recorded: 5, startedAt: toPosition({ t: 1_000, i: 1 }) });
});

it('interrupted, it ends after the part that it is at; the next run goes on there, and still knows when the first one began', async () => {
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

it('notes when it began before it records anything: a run that is killed at once is gone on from', async () => {
  const failure = new Error('killed');
  const { ports, saved } = world({ recordCurrentStates: () => Promise.reject(failure) });
  await expect(recordAll(ports, options)).rejects.toBe(failure);
  expect(saved).toStrictEqual([{ startedAt: toPosition({ t: 1_000, i: 1 }), after: null, recorded: 0 }]);
});

it('waits while more events are pending than it may leave before the users', async () => {
  let pending = 13;
  const { ports, recorded, said } = world({
    countPending: async () => {
      pending -= 1;
      return pending;
    },
  });
  await recordAll(ports, options);
  // 12 and 11 are too many, 10 are not.
  expect(said.waiting).toBe(2);
  expect(recorded).toHaveLength(5);
});

it('counts what cannot be projected and names what cannot be recorded, and goes on', async () => {
  const { ports, said } = world({
    recordCurrentStates: async (ids) => ({
      recorded: ids.length - 1,
      unprojectable: 1,
      unrecordable: [{ id: ids[0] ?? 0, reason: 'for a test' }],
    }),
  });
  expect(await recordAll(ports, options)).toMatchObject({ recorded: 2, unprojectable: 3, unrecordable: 3 });
  expect(said.unrecordable).toStrictEqual([1, 3, 5]);
});
