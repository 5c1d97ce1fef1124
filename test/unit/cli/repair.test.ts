/** The rounds of a repair, with a verification that finds what the test says. */
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
  /** What each verification finds; after the last one, nothing. */
  readonly rounds: readonly (readonly Found<number>[])[];
  readonly pending?: () => Position | null;
  readonly isInterrupted?: () => boolean;
}

function portsOf({ rounds, pending = () => null, isInterrupted = () => false }: World) {
  const did: string[] = [];
  const left = [...rounds];
  const ports: RepairPorts<number> = {
    verify: async (tell) => {
      did.push('verify');
      const found = left.shift() ?? [];
      for (const one of found) await tell(one);
      const differences = { missing: 0, stale: 0, changed: 0, ghost: 0, unowned: 0, dead: 0 };
      for (const { difference } of found) differences[difference.kind] += 1;
      const outcome = isInterrupted() ? 'interrupted' : found.length > 0 ? 'different' : 'equal';
      return { outcome, documents: 10, differences, inFlight: 0 };
    },
    correctManifests: async (damaged) => {
      did.push(`correct ${damaged.map(({ key, names }) => `${key} ${[...names]}`)}`);
    },
    recordCurrentStates: async (type, ids) => {
      did.push(`record ${type} ${ids}`);
      return { recorded: ids.length, unrecordable: [] };
    },
    recordDeletions: async (ghosts) => void did.push(`delete ${ghosts.map(({ key }) => key)}`),
    settleElements: async (elements) => {
      did.push(`settle ${elements.map(({ elementId }) => elementId)}`);
      return elements.length;
    },
    readClusterTime: async () => position(100),
    oldestPending: async () => pending(),
    countPending: async () => 0,
    pace: async () => undefined,
    sleep: async () => undefined,
    isInterrupted,
    log: { round: () => undefined, progress: () => undefined, waiting: () => void did.push('wait') },
  };
  return { ports, did };
}

const options: RepairOptions = { maxDeleted: 2, maxPending: 100, chunkDocuments: 2 };

it('documents come first; what has no document is deleted when they are right', async () => {
  const { ports, did } = portsOf({
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
  expect(did).toStrictEqual([
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

it('more than may be deleted is left alone, all of it', async () => {
  const { ports, did } = portsOf({ rounds: [[ghost(1), ghost(2), unowned('r')]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'too-many', deletionsRecorded: 0, elementsSettled: 0 });
  expect(did).toStrictEqual(['verify']);
});

it('it verifies again only when what was recorded is applied', async () => {
  const pending = [position(90), position(90), position(101)];
  const { ports, did } = portsOf({ rounds: [[document(1, 'stale')]], pending: () => pending.shift() ?? null });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'equal' });
  expect(did).toStrictEqual(['verify', 'record thing 1', 'wait', 'wait', 'verify']);
});

it('what is dead is left alone, and told', async () => {
  const { ports, did } = portsOf({ rounds: [[dead]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'different', recorded: 0 });
  expect(did).toStrictEqual(['verify']);
});

it('what comes back again and again is not repaired for ever, and keeps nothing else from its repair', async () => {
  const { ports, did } = portsOf({
    rounds: [
      ...Array.from({ length: 3 }, () => [document(1, 'changed', 'a'), ghost(2)]),
      [document(1, 'changed', 'a')],
    ],
  });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'different', recorded: 2, deletionsRecorded: 1 });
  expect(did.filter((one) => one.startsWith('delete'))).toStrictEqual(['delete thing:2']);
});

it('where nobody applies what was recorded, it says so and ends', async () => {
  const { ports } = portsOf({ rounds: [[document(1, 'stale')], [ghost(2)]], pending: () => position(90) });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'unapplied', recorded: 1, deletionsRecorded: 0 });
});

it('what may be deleted is counted over all rounds', async () => {
  const { ports } = portsOf({ rounds: [[ghost(1), ghost(2)], [ghost(3)]] });
  expect(await repair(ports, options)).toMatchObject({ outcome: 'too-many', deletionsRecorded: 2 });
});

it('interrupted, it deletes nothing and says so', async () => {
  let isInterrupted = false;
  const { ports, did } = portsOf({ rounds: [[ghost(1)]], isInterrupted: () => isInterrupted });
  const interrupting: RepairPorts<number> = {
    ...ports,
    verify: async (tell) => {
      isInterrupted = true;
      return ports.verify(tell);
    },
  };
  expect(await repair(interrupting, options)).toMatchObject({ outcome: 'interrupted', deletionsRecorded: 0 });
  expect(did).toStrictEqual(['verify']);
});
