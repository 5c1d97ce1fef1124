/** The rounds of a repair, with the findings that a test defines. */
import { expect, it } from 'vitest';
import type { DifferenceKind, Found } from '../../../cli/verify/difference.ts';
import { type RepairOptions, type RepairPorts, repair } from '../../../cli/verify/repair.ts';
import { type Position, toPosition } from '../../../lib/contract/position.ts';

const position = (t: number) => toPosition({ t, i: 1 });

const about = (kind: DifferenceKind, key: string | null, element: string | null = null) => ({
  kind,
  aggregate: key,
  element,
  reason: 'A test says so.',
});
const document = (id: number, kind: DifferenceKind, element: string | null = null): Found<number> => ({
  difference: about(kind, `thing:${id}`, element),
  subject: { kind: 'document', aggregateType: 'thing', id, key: `thing:${id}` },
});
const ghost = (id: number): Found<number> => ({
  difference: about('ghost', `thing:${id}`),
  subject: { kind: 'aggregate', key: `thing:${id}`, position: position(1) },
});
const unowned = (id: string): Found<number> => ({
  difference: about('unowned', null, id),
  subject: { kind: 'element', element: { kind: 'relationship', elementId: id, type: 'T', id, shares: null } },
});
const dead: Found<number> = { difference: about('dead', 'thing:9'), subject: null };

interface World {
  /** The findings of each verification. After the last one there are none. */
  readonly rounds: readonly (readonly Found<number>[])[];
  readonly pending?: () => Position | null;
  readonly isInterrupted?: () => boolean;
}

function portsOf({ rounds, pending = () => null, isInterrupted = () => false }: World) {
  const actions: string[] = [];
  const remainingRounds = [...rounds];
  const ports: RepairPorts<number> = {
    verify: async (tell) => {
      actions.push('verify');
      const found = remainingRounds.shift() ?? [];
      for (const one of found) await tell(one);
      const differences = { missing: 0, stale: 0, changed: 0, ghost: 0, unowned: 0, dead: 0 };
      for (const { difference } of found) differences[difference.kind] += 1;
      const outcome = isInterrupted() ? 'interrupted' : found.length > 0 ? 'different' : 'equal';
      return { outcome, documents: 10, differences, inFlight: 0 };
    },
    correctManifests: async (damaged) => {
      actions.push(`correct ${damaged.map(({ key, names }) => `${key} ${[...names]}`)}`);
    },
    recordCurrentStates: async (type, ids) => {
      actions.push(`record ${type} ${ids}`);
      return { recorded: ids.length, unrecordable: [] };
    },
    recordDeletions: async (ghosts) => void actions.push(`delete ${ghosts.map(({ key }) => key)}`),
    settleElements: async (elements) => {
      actions.push(`settle ${elements.map(({ elementId }) => elementId)}`);
      return elements.length;
    },
    readClusterTime: async () => position(100),
    oldestPending: async () => pending(),
    countPending: async () => 0,
    pace: async () => undefined,
    sleep: async () => undefined,
    isInterrupted,
    log: { round: () => undefined, progress: () => undefined, waiting: () => void actions.push('wait') },
  };
  return { ports, actions };
}

const options: RepairOptions = { maxDeleted: 2, maxPending: 100, chunkDocuments: 2 };

it('repairs documents first, then deletes what has no document', async () => {
  const { ports, actions } = portsOf({
    rounds: [
      [
        document(1, 'changed', 'a'),
        document(1, 'changed', 'b'),
        document(2, 'stale'),
        document(3, 'missing'),
        ghost(4),
      ],
      [ghost(4), unowned('r')],
    ],
  });
  const report = await repair(ports, options);
  expect(actions).toStrictEqual([
    'verify',
    'correct thing:1 a,b',
    'record thing 1,2',
    'record thing 3',
    'verify',
    'delete thing:4',
    'settle r',
    'verify',
  ]);
  expect(report).toMatchObject({ outcome: 'equal', rounds: 3, recorded: 3, corrected: 1, deletionsRecorded: 1 });
});

it('deletes nothing if it would delete more than allowed', async () => {
  const { ports, actions } = portsOf({ rounds: [[ghost(1), ghost(2), unowned('r')]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'too-many', deletionsRecorded: 0, elementsSettled: 0 });
  expect(actions).toStrictEqual(['verify']);
});

it('verifies again only once the recorded events are applied', async () => {
  const pending = [position(90), position(90), position(101)];
  const { ports, actions } = portsOf({ rounds: [[document(1, 'stale')]], pending: () => pending.shift() ?? null });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'equal' });
  expect(actions).toStrictEqual(['verify', 'record thing 1', 'wait', 'wait', 'verify']);
});

it('does not repair dead events, and reports them', async () => {
  const { ports, actions } = portsOf({ rounds: [[dead]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'different', recorded: 0 });
  expect(actions).toStrictEqual(['verify']);
});

it('gives up on a recurring difference, and still repairs the others', async () => {
  const { ports, actions } = portsOf({
    rounds: [
      ...Array.from({ length: 3 }, () => [document(1, 'changed', 'a'), ghost(2)]),
      [document(1, 'changed', 'a')],
    ],
  });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'different', recorded: 2, deletionsRecorded: 1 });
  expect(actions.filter((one) => one.startsWith('delete'))).toStrictEqual(['delete thing:2']);
});

it('stops and says so if nothing applies the recorded events', async () => {
  const { ports } = portsOf({ rounds: [[document(1, 'stale')], [ghost(2)]], pending: () => position(90) });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'unapplied', recorded: 1, deletionsRecorded: 0 });
});

it('counts deletions over all rounds', async () => {
  const { ports } = portsOf({ rounds: [[ghost(1), ghost(2)], [ghost(3)]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'too-many', deletionsRecorded: 2 });
});

it('if interrupted, deletes nothing and says so', async () => {
  let isInterrupted = false;
  const { ports, actions } = portsOf({ rounds: [[ghost(1)]], isInterrupted: () => isInterrupted });
  const interrupting: RepairPorts<number> = {
    ...ports,
    verify: async (tell) => {
      isInterrupted = true;
      return ports.verify(tell);
    },
  };
  expect(await repair(interrupting, options)).toMatchObject({ outcome: 'interrupted', deletionsRecorded: 0 });
  expect(actions).toStrictEqual(['verify']);
});
