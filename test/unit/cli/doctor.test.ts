/** The doctor's flow: how it handles checks that fail, hang, or depend on each other. */
import { expect, it } from 'vitest';
import {
  type Check,
  type CheckGroup,
  examineStage,
  type Finding,
  ok,
  skipped,
  warning,
  wrong,
} from '../../../cli/doctor/doctor.ts';
import { Fault } from '../../../lib/contract/fault.ts';

function check(group: CheckGroup, name: string, examine: () => Promise<Finding>, fields: Partial<Check> = {}): Check {
  return { group, name, advice: 'do something', examine, ...fields };
}

const options = { seconds: 5, signal: new AbortController().signal };
const fine = async () => ok('fine');
const throwing = (error: unknown) => async () => {
  throw error;
};

it('runs every check even if an earlier one throws, and reports its error without secrets', async () => {
  const checks = [
    check('MongoDB', 'first', throwing(new Error('mongodb://somebody:secret@host'))),
    check('MongoDB', 'second', throwing(new Fault('mongodb-unavailable', 'It did not answer.'))),
    check('MongoDB', 'third', fine),
  ];
  const report = await examineStage(checks, options);
  expect(report.outcome).toBe('wrong');
  expect(report.counts).toStrictEqual({ ok: 1, warning: 0, wrong: 2, skipped: 0 });
  expect(report.checks.map(({ detail }) => detail)).toStrictEqual(['Error', 'It did not answer.', 'fine']);
  expect(report.checks[0]?.advice).toBe('do something');
});

it('skips checks that depend on a failed one, and names the first cause', async () => {
  const reachable = check('MongoDB', 'reachable', async () => wrong('away', 'start it'));
  const outbox = check('MongoDB', 'outbox', fine, { needs: [reachable] });
  let runs = false;
  const dead = check(
    'Stage',
    'dead events',
    async () => {
      runs = true;
      return ok('none');
    },
    { needs: [outbox] },
  );
  const { checks } = await examineStage([reachable, outbox, dead], options);
  expect(checks[2]).toMatchObject({ outcome: 'skipped', blockedBy: 'MongoDB: reachable' });
  expect(runs).toBe(false);
});

it('runs checks that depend on a warning, and runs a shared dependency once', async () => {
  let runs = 0;
  const shared = check('Neo4j', 'shared', async () => {
    runs += 1;
    return warning('old', 'upgrade');
  });
  const others = ['one', 'two'].map((name) => check('Neo4j', name, fine, { needs: [shared] }));
  const { outcome, counts } = await examineStage([shared, ...others], options);
  expect(outcome).toBe('done');
  expect(counts).toStrictEqual({ ok: 2, warning: 1, wrong: 0, skipped: 0 });
  expect(runs).toBe(1);
});

it('ends a hanging check and continues with the others', async () => {
  const hanging = check('Neo4j', 'hanging', () => new Promise<Finding>(() => undefined));
  const { checks } = await examineStage([hanging, check('MongoDB', 'other', fine)], { ...options, seconds: 0.02 });
  expect(checks.map(({ outcome }) => outcome)).toStrictEqual(['wrong', 'ok']);
  expect(checks[0]?.detail).toMatch(/No answer within/);
});

it('skips a denied check that names its right, and counts any other denial as wrong', async () => {
  const denied = throwing(new Fault('permission-denied', 'not allowed'));
  const checks = [
    check('MongoDB', 'validator', denied, { right: 'it needs listCollections' }),
    check('MongoDB', 'reachable', denied),
  ];
  const report = await examineStage(checks, options);
  expect(report.checks.map(({ outcome }) => outcome)).toStrictEqual(['skipped', 'wrong']);
  expect(report.checks[0]?.detail).toMatch(/it needs listCollections/);
});

it('skips an optional check on any error', async () => {
  const examine = throwing(new Fault('mongodb-unavailable', 'No such command.'));
  const { outcome, checks } = await examineStage([check('MongoDB', 'oplog', examine, { isOptional: true })], options);
  expect(outcome).toBe('done');
  expect(checks[0]).toMatchObject({ outcome: 'skipped', detail: 'cannot be read: No such command.' });
});

it('is unusable only if the settings are wrong and nothing else was checked', async () => {
  const settings = check('Configuration', 'settings', async () => wrong('MONGODB_URI is not set', 'set it'));
  const nothing = check('MongoDB', 'reachable', async () => skipped('MONGODB_URI is not usable'));
  expect((await examineStage([settings, nothing], options)).outcome).toBe('unusable');
  expect((await examineStage([settings, nothing, check('Neo4j', 'reachable', fine)], options)).outcome).toBe('wrong');
});

it('if interrupted, skips the running check and says so', async () => {
  const interruption = new AbortController();
  const hanging = check('Neo4j', 'hanging', () => {
    interruption.abort();
    return new Promise<Finding>(() => undefined);
  });
  const report = await examineStage([hanging], { seconds: 5, signal: interruption.signal });
  expect(report).toMatchObject({ outcome: 'interrupted', checks: [{ outcome: 'skipped', detail: 'interrupted' }] });
});
