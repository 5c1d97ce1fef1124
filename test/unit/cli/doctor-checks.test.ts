/**
 * How the doctor judges facts that no test server has: old versions, other policies, other users.
 */
import { describe, expect, it } from 'vitest';
import { configurationChecks, readSettingStates, type SettingState } from '../../../cli/doctor/check-configuration.ts';
import {
  judgeClock,
  judgeContract,
  judgeFeatureVersion,
  judgeOplog,
  judgeTopology,
  judgeUser,
  judgeVersion,
  judgeWriteConcern,
} from '../../../cli/doctor/check-mongodb.ts';
import { type Neo4jPorts, neo4jChecks } from '../../../cli/doctor/check-neo4j.ts';
import { queueChecks } from '../../../cli/doctor/check-queue.ts';
import { stageChecks } from '../../../cli/doctor/check-stage.ts';
import { type Check, examineStage, ok } from '../../../cli/doctor/doctor.ts';
import { testedNeo4j } from '../../../cli/doctor/expectations.ts';
import type { QueueFacts, RuleFacts } from '../../../cli/doctor/sqs-inspect-queue.ts';
import { Fault } from '../../../lib/contract/fault.ts';
import { contractVersion } from '../../../lib/contract/outbox-event.ts';
import { toPosition } from '../../../lib/contract/position.ts';
import { createCatalog } from '../../../lib/projection/catalog.ts';
import { unknownSettings } from '../../../lib/runtime/unknown-settings.ts';
import { neo4jRelease } from '../../../tools/local/neo4j-releases.ts';
import { catalog } from '../../../xmem/catalog.ts';
import { aggregate } from './doctor-aggregate.ts';

const noInterruption = new AbortController().signal;

async function findingOf(checks: readonly Check[], name: string) {
  const { checks: results } = await examineStage(checks, { seconds: 5, signal: noInterruption });
  return results.find((one) => one.name === name);
}

describe('configuration', () => {
  const states = readSettingStates(
    { MONGODB_URI: 'mongodb://localhost', NEO4J_URI: 'bolt://localhost' },
    async () => '',
  );
  const examine = async (
    name: string,
    facts: { nodeVersion?: string; catalog?: typeof catalog; environment?: Record<string, string> } = {},
  ) =>
    findingOf(
      configurationChecks({
        states: await states,
        files: [],
        unknown: unknownSettings(facts.environment ?? {}),
        loaded: { catalog: facts.catalog ?? catalog, problem: null },
        nodeVersion: facts.nodeVersion ?? '24.1.0',
      }),
      name,
    );

  it.each([
    ['20.19.0', 'wrong'],
    ['22.0.0', 'ok'],
  ])('Node %s is %s', async (nodeVersion, outcome) => {
    expect(await examine('Node.js', { nodeVersion })).toMatchObject({ outcome });
  });

  it("names unknown settings with outgraph's prefixes, without their values", async () => {
    const environment = { MONGODB_DATABSE: 'shop', NEO4J_HOST: 's3cret', PATH: '/bin' };
    expect(await examine('unknown settings', { environment })).toMatchObject({
      outcome: 'warning',
      detail: 'no part reads MONGODB_DATABSE (did you mean MONGODB_DATABASE?), NEO4J_HOST',
    });
    expect(await examine('unknown settings')).toMatchObject({ outcome: 'ok' });
  });

  it('two types with different keys for one label are wrong, because all events of one would be dead', async () => {
    const catalog = createCatalog([aggregate('a', { Person: ['id'] }), aggregate('b', { Person: ['name', 'id'] })]);
    const finding = await examine('catalog', { catalog });
    expect(finding).toMatchObject({ outcome: 'wrong', detail: 'a keys the label Person by (id), b by (id, name)' });
  });

  it.each([['_outgraphThing'], ['has space']])('the name "%s" is wrong in a declaration', async (name) => {
    const finding = await examine('catalog', { catalog: createCatalog([aggregate('a', { Person: [name] })]) });
    expect(finding).toMatchObject({ outcome: 'wrong', detail: expect.stringContaining(name) });
  });

  it('checks the value behind a reference, and never shows any part of it', async () => {
    const found = await readSettingStates({ MONGODB_URI: 'ssm:/a/uri' }, async () => 'mongodb://u:secret@example.com');
    const uri = found.find(({ name }) => name === 'MONGODB_URI');
    expect(uri).toMatchObject<Partial<SettingState>>({ state: 'invalid', isReferred: true, value: undefined });
    expect(uri?.problem).not.toContain('secret');
  });

  it.each([
    ['is wrong', {}, 'invalid', 'over TLS'],
    ['is a warning where a setting allows it', { OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: '1' }, 'set', 'without TLS'],
  ])('a server on another machine without TLS %s', async (_, allow, state, way) => {
    const given = {
      MONGODB_URI: 'mongodb+srv://u:word@db.example.com',
      NEO4J_URI: 'bolt://graph',
      NEO4J_USERNAME: 'u',
    };
    const states = await readSettingStates({ ...given, ...allow }, async () => '');
    expect(states.find(({ name }) => name === 'NEO4J_URI')?.state).toBe(state);
    const facts = { states, files: [], unknown: [], loaded: { catalog, problem: null }, nodeVersion: '24.0.0' };
    const finding = await findingOf(configurationChecks(facts), 'encryption');
    expect(finding?.detail).toContain(way);
    expect(finding?.outcome).toBe(way === 'without TLS' ? 'warning' : 'ok');
    expect(JSON.stringify(finding)).not.toContain('word@');
  });

  it('warns about a remote Neo4j without a user', async () => {
    const elsewhere = await readSettingStates(
      { MONGODB_URI: 'mongodb+srv://db.example.com', NEO4J_URI: 'neo4j+s://graph.example.com' },
      async () => '',
    );
    const loaded = { catalog: catalog, problem: null } as const;
    const facts = { states: elsewhere, files: [], unknown: [], loaded, nodeVersion: '24.0.0' };
    expect(await findingOf(configurationChecks(facts), 'encryption')).toMatchObject({
      outcome: 'warning',
      detail: 'MongoDB over TLS, Neo4j over TLS; without a user for Neo4j',
    });
  });
});

describe('MongoDB', () => {
  const server = { version: '7.0.1', topology: 'replica set', clockAheadMillis: 0 } as const;
  const part = (name: string, lacks: readonly string[]) => ({ part: name, lacks, of: 4 });

  it.each([
    ['a standalone server', judgeTopology({ ...server, topology: 'standalone' }), 'wrong', /neither transactions/],
    ['a sharded cluster', judgeTopology({ ...server, topology: 'sharded cluster' }), 'ok', /sharded/],
    ['version 5', judgeVersion({ ...server, version: '5.0.31' }, true), 'wrong', /6\.0 or newer/],
    ['version 6', judgeVersion({ ...server, version: '6.0.27' }, false), 'warning', /6\.0\.27, .* July 2025/],
    ['version 6 on this machine', judgeVersion({ ...server, version: '6.0.0' }, true), 'ok', /6\.0\.0/],
    ['version 7', judgeVersion({ ...server, version: '7.0.0' }, false), 'ok', /7\.0\.0/],
    ['version 10', judgeVersion({ ...server, version: '10.0.0' }, false), 'ok', /10/],
    ['a server with feature compatibility version 5.0', judgeFeatureVersion('5.0'), 'wrong', /version is still 5\.0/],
    ["this version's contract", judgeContract(contractVersion), 'ok', /version \d+, as this version's/],
    ['an older contract', judgeContract(contractVersion - 1), 'wrong', /this version of outgraph has/],
    ['a newer contract', judgeContract(contractVersion + 1), 'warning', /newer than this version's/],
    ['a set-up that recorded no contract', judgeContract(null), 'warning', /recorded no version/],
    ['write concern 1', judgeWriteConcern('1'), 'warning', /may be rolled back/],
    ['a full oplog of 23.9 hours', judgeOplog({ hours: 23.9, isGrowing: false }), 'warning', /23\.9 hours/],
    ['a full oplog of 24 hours', judgeOplog({ hours: 24, isGrowing: false }), 'ok', /24 hours/],
    ['a short oplog that is not full', judgeOplog({ hours: 0.1, isGrowing: true }), 'ok', /not full yet/],
    ['an oplog behind a router', judgeOplog(null), 'skipped', /each shard/],
    ['a clock that is right', judgeClock({ ...server, clockAheadMillis: 4_999 }), 'ok', /5 seconds ahead/],
    ['a clock that is behind', judgeClock({ ...server, clockAheadMillis: -61_000 }), 'warning', /61 seconds behind/],
    ['no authentication elsewhere', judgeUser({ user: null, parts: [] }, false), 'warning', /no authentication/],
    ['no authentication on this machine', judgeUser({ user: null, parts: [] }, true), 'ok', /this machine/],
    [
      'a user of one part',
      judgeUser({ user: 'x', parts: [part('sweep', []), part('set-up', ['a on b'])] }, false),
      'ok',
      /^x has the rights of: sweep$/,
    ],
    [
      'a user of no part',
      judgeUser({ user: 'x', parts: [part('sweep', ['a on b', 'c on b']), part('set-up', ['find on outbox'])] }, false),
      'warning',
      /closest is set-up, which also needs: find on outbox/,
    ],
  ])('%s', (_, finding, outcome, detail) => {
    expect(finding).toMatchObject({ outcome, detail: expect.stringMatching(detail) });
    if (outcome === 'warning' || outcome === 'wrong') expect(finding.advice).not.toBeNull();
  });
});

it('the doctor knows the releases of Neo4j that the tests run on', () => {
  expect(testedNeo4j).toStrictEqual(['5.26', '2026'].map((name) => neo4jRelease(name).version.replace(/\.\d+$/, '')));
});

describe('Neo4j', () => {
  const reachable: Check = { group: 'MongoDB', name: 'reachable', advice: '', examine: async () => ok('') };
  const expected = {
    isLocal: false,
    hasCatalog: true,
    source: '',
    tombstoneIndex: 'outgraph_tombstones',
    mongodbReachable: reachable,
  };
  const server = { version: '5.26.0', edition: 'enterprise', clockAheadMillis: 0 };
  const online = { name: 'outgraph_tombstones', state: 'ONLINE', populationPercent: 100 };
  const ports: Neo4jPorts = {
    readServer: async () => server,
    readUser: async () => ({ user: 'u', roles: ['outgraph_sweep'], mustChangePassword: false }),
    findConstraintProblems: async () => [],
    readIndexes: async () => [online],
    findIndexProblems: async () => [],
    readManifestForms: async () => ['2'],
    checkBinding: async () => undefined,
    readMongodbClockAheadMillis: async () => 0,
  };
  const user = (roles: readonly string[] | null, mustChangePassword = false) => ({
    readUser: async () => ({ user: 'u', roles, mustChangePassword }),
  });
  const version = (text: string) => ({ readServer: async () => ({ ...server, version: text }) });
  const index = (fields: object) => ({
    readIndexes: async () => [online, { ...online, name: 'outgraph_key_A', ...fields }],
  });

  it.each<readonly [string, string, Partial<Neo4jPorts>, string, RegExp]>([
    ['version', '4.4', version('4.4.30'), 'wrong', /5\.24 or newer/],
    ['version', '5.23', version('5.23.0'), 'wrong', /5\.24 or newer/],
    ['version', '5.24', version('5.24.2'), 'warning', /tested with Neo4j 5\.26 and 2026\.08/],
    ['version', '5.26', version('5.26.33'), 'ok', /5\.26\.33/],
    ['version', '5.27 of Aura', version('5.27-aura'), 'ok', /Aura/],
    ['version', '2025.10', version('2025.10.1'), 'warning', /tested with/],
    ['version', '2025.11', version('2025.11.2'), 'wrong', /duplicate nodes/],
    ['version', '2026.02.0', version('2026.02.0'), 'warning', /lose a property/],
    ['version', '2026.02.1', version('2026.02.1'), 'warning', /tested with/],
    ['version', '2026.08', version('2026.08.1'), 'ok', /2026\.08\.1/],
    ['version', 'a newer one', version('2027.01.0'), 'warning', /tested with/],
    ['user', 'a role of a part', {}, 'ok', /outgraph_sweep/],
    ['user', 'only other roles', user(['reader', 'PUBLIC']), 'warning', /none is outgraph's/],
    ['user', 'no authentication', { readUser: async () => null }, 'warning', /no authentication/],
    ['user', 'a password that has expired', user(['admin'], true), 'wrong', /must be changed/],
    ['user', 'an edition without roles', user(null), 'ok', /no roles/],
    [
      'constraints',
      'one that is missing',
      { findConstraintProblems: async () => ['A has none.'] },
      'wrong',
      /A has none/,
    ],
    ['indexes', 'one that failed', index({ state: 'FAILED' }), 'wrong', /failed: outgraph_key_A/],
    [
      'indexes',
      'one that is being built',
      index({ state: 'POPULATING', populationPercent: 41.7 }),
      'warning',
      /outgraph_key_A \(41 %\)/,
    ],
    [
      'indexes',
      'a declared one missing',
      { findIndexProblems: async () => ['The index x is missing.'] },
      'wrong',
      /x is missing/,
    ],
    ['indexes', 'none for the purge', { readIndexes: async () => [] }, 'wrong', /outgraph_tombstones is missing/],
    ['manifests', 'a newer form', { readManifestForms: async () => ['2', '3'] }, 'wrong', /form 3/],
    ['manifests', 'an empty registry', { readManifestForms: async () => [] }, 'ok', /none yet/],
    ['outbox', 'its own', {}, 'ok', /belongs to this outbox/],
    [
      'outbox',
      'another one',
      { checkBinding: () => Promise.reject(new Fault('graph-of-another-outbox', 'The graph belongs to another.')) },
      'wrong',
      /belongs to another/,
    ],
    ['clock', 'apart', { readMongodbClockAheadMillis: async () => 60_000 }, 'warning', /60 seconds behind MongoDB's/],
  ])('%s: %s', async (name, _, facts, outcome, detail) => {
    const finding = await findingOf(neo4jChecks({ ...ports, ...facts }, expected), name);
    expect(finding).toMatchObject({ outcome, detail: expect.stringMatching(detail) });
  });
});

describe('queue and bus', () => {
  const rule: RuleFacts = { name: 'r', arn: 'arn:rule/r', isEnabled: true };
  const policy = (fields: object) =>
    JSON.stringify({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: '*',
          ...fields,
        },
      ],
    });
  const deadLetters: QueueFacts = {
    arn: 'arn:dead',
    visibilityTimeoutSeconds: 30,
    retentionSeconds: 1_209_600,
    isEncrypted: true,
    redrive: null,
    messages: 0,
    policy: null,
  };
  const queue: QueueFacts = {
    ...deadLetters,
    arn: 'arn:queue',
    visibilityTimeoutSeconds: 360,
    redrive: { deadLetterTargetArn: 'arn:dead', maxReceiveCount: 1_000 },
    policy: policy({ Condition: { ArnEquals: { 'aws:SourceArn': 'arn:rule/r' } } }),
  };
  const examine = (name: string, change: Partial<QueueFacts>, rules: readonly RuleFacts[] | null = [rule]) =>
    findingOf(
      queueChecks({
        readQueue: async () => ({ ...queue, ...change }),
        readDeadLetterQueue: async () => deadLetters,
        readRules: async () => rules,
      }),
      name,
    );

  it.each<readonly [string, Partial<QueueFacts>, string]>([
    ['redrive policy', {}, 'ok'],
    ['redrive policy', { redrive: null }, 'wrong'],
    ['redrive policy', { redrive: { deadLetterTargetArn: 'arn:other', maxReceiveCount: 1_000 } }, 'wrong'],
    ['redrive policy', { redrive: { deadLetterTargetArn: 'arn:dead', maxReceiveCount: 999 } }, 'warning'],
    ['visibility time-out', { visibilityTimeoutSeconds: 360 }, 'ok'],
    ['visibility time-out', { visibilityTimeoutSeconds: 359 }, 'warning'],
    ['visibility time-out', { visibilityTimeoutSeconds: 59 }, 'wrong'],
    ['retention', {}, 'ok'],
    ['retention', { retentionSeconds: 1_209_599 }, 'warning'],
    ['encryption', { isEncrypted: false }, 'warning'],
    ['policy of the queue', {}, 'ok'],
    ['policy of the queue', { policy: null }, 'wrong'],
    ['policy of the queue', { policy: 'no JSON' }, 'wrong'],
    ['policy of the queue', { policy: policy({ Effect: 'Deny' }) }, 'wrong'],
    ['policy of the queue', { policy: policy({ Action: 'sqs:ReceiveMessage' }) }, 'wrong'],
    ['policy of the queue', { policy: policy({ Principal: { Service: 'sns.amazonaws.com' } }) }, 'wrong'],
    ['policy of the queue', { policy: policy({ Action: ['SQS:*'] }) }, 'ok'],
    [
      'policy of the queue',
      { policy: policy({ Condition: { ArnEquals: { 'aws:SourceArn': 'arn:rule/x' } } }) },
      'wrong',
    ],
    ['policy of the queue', { policy: policy({ Condition: { ArnLike: { 'aws:SourceArn': 'arn:rule/*' } } }) }, 'ok'],
  ])('%s of a queue with %j: %s', async (name, change, outcome) => {
    expect(await examine(name, change)).toMatchObject({ outcome });
  });

  it.each<readonly [string, readonly RuleFacts[] | null, RegExp]>([
    ['no bus', null, /no such bus/],
    ['no rule', [], /no rule/],
    ['a disabled rule', [{ ...rule, isEnabled: false }], /disabled: r/],
  ])('a bus with %s is wrong', async (_, rules, detail) => {
    const finding = await examine('rule of the bus', {}, rules);
    expect(finding).toMatchObject({ outcome: 'wrong', detail: expect.stringMatching(detail) });
  });
});

describe('the stage', () => {
  const now = new Date('2026-11-25T12:00:00Z');
  const before = (seconds: number) => new Date(now.getTime() - seconds * 1_000);
  const canary = (seconds: number, processedAt: Date | null) => ({
    position: toPosition({ t: 1, i: 1 }),
    createdAt: before(seconds),
    processedAt,
  });
  const there: Check = { group: 'MongoDB', name: 'there', advice: '', examine: async () => ok('') };
  const counts = { pending: 0, pendingCanaries: 0, dead: 0, oldestPending: null };
  const ports = {
    readServerTime: async () => now,
    readPublisherActivity: async () => before(10),
    readLastCanary: async () => canary(30, before(28)),
    countOutbox: async () => counts,
  };

  it.each<readonly [string, string, Partial<Parameters<typeof stageChecks>[0]>, string, RegExp]>([
    ['publisher', 'at work', {}, 'ok', /10 seconds ago/],
    ['publisher', 'silent', { readPublisherActivity: async () => before(181) }, 'warning', /3 minutes ago/],
    ['publisher', 'never there', { readPublisherActivity: async () => null }, 'warning', /none has ever run/],
    ['sweep', 'at work', {}, 'ok', /applied after 2 seconds/],
    ['sweep', 'with a canary on its way', { readLastCanary: async () => canary(30, null) }, 'ok', /is pending/],
    [
      'sweep',
      'with a canary that waits',
      { readLastCanary: async () => canary(301, null) },
      'warning',
      /is not applied yet/,
    ],
    [
      'sweep',
      'silent',
      { readLastCanary: async () => canary(7_200, before(7_199)) },
      'warning',
      /2 hours ago.*none since/,
    ],
    ['sweep', 'never there', { readLastCanary: async () => null }, 'warning', /no canary/],
    [
      'pending events',
      'young',
      { countOutbox: async () => ({ ...counts, pending: 3, oldestPending: before(900) }) },
      'ok',
      /^3, the oldest written 15 minutes ago/,
    ],
    [
      'pending events',
      'old',
      { countOutbox: async () => ({ ...counts, pending: 10_000, oldestPending: before(901) }) },
      'warning',
      /^at least 10000/,
    ],
    ['dead events', 'some', { countOutbox: async () => ({ ...counts, dead: 2 }) }, 'warning', /^2$/],
  ])('%s: %s', async (name, _, change, outcome, detail) => {
    const finding = await findingOf(stageChecks({ ...ports, ...change }, { collections: there, indexes: there }), name);
    expect(finding).toMatchObject({ outcome, detail: expect.stringMatching(detail) });
  });
});
