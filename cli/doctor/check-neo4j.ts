/**
 * The doctor's checks of Neo4j: the server, the constraints that the apply stands on, the user, and whether this
 * version reads what is written there.
 */

import { describeError } from '../../lib/contract/fault.ts';
import { decodeManifest } from '../../lib/graph/manifest.ts';
import { clockText, setUpAdvice } from './advice.ts';
import type { Check, Finding } from './doctor.ts';
import { ok, skipped, warning, wrong } from './doctor.ts';
import { clockSkewSeconds, oldestNeo4j } from './expectations.ts';

export interface Neo4jServer {
  readonly version: string;
  /** `community`, `enterprise`, or what else it says of itself. */
  readonly edition: string;
  readonly clockAheadMillis: number;
}

/** Null without authentication; `roles` null where the edition has none. */
export interface Neo4jUser {
  readonly user: string;
  readonly roles: readonly string[] | null;
  readonly mustChangePassword: boolean;
}

export interface GraphIndex {
  readonly name: string;
  readonly state: string;
  readonly populationPercent: number;
}

/** What the checks read. Faults are the adapters'. */
export interface Neo4jPorts {
  readonly readServer: () => Promise<Neo4jServer>;
  readonly readUser: () => Promise<Neo4jUser | null>;
  /** What is wrong with the constraints of registry and catalog, in words. */
  readonly findConstraintProblems: () => Promise<readonly string[]>;
  /** Those of outgraph's own. */
  readonly readIndexes: () => Promise<readonly GraphIndex[]>;
  /** The first lines of some manifests, each once. */
  readonly readManifestForms: () => Promise<readonly string[]>;
  /** Throws where the graph is not this outbox's, or knows later positions than MongoDB has given. */
  readonly checkBinding: () => Promise<void>;
  /** How far MongoDB's clock is ahead of this machine's. */
  readonly readMongodbClockAheadMillis: () => Promise<number>;
}

export interface Neo4jExpected {
  readonly isLocal: boolean;
  readonly hasCatalog: boolean;
  /** The index of the purge. */
  readonly tombstoneIndex: string;
  readonly mongodbReachable: Check;
}

/** The checks; with null, the address is missing. */
export function neo4jChecks(ports: Neo4jPorts | null, expected: Neo4jExpected): readonly Check[] {
  const group = 'Neo4j';
  const reachable: Check = {
    group,
    name: 'reachable',
    advice:
      'See that NEO4J_URI names a server that runs, that NEO4J_DATABASE is there, and that the network lets this machine through.',
    examine: async () => {
      if (ports === null) return skipped('NEO4J_URI is not usable: see Configuration');
      const { version, edition } = await ports.readServer();
      return ok(`version ${version}, ${edition}`);
    },
  };
  const check = (
    name: string,
    right: string,
    examine: (ports: Neo4jPorts) => Promise<Finding>,
    needs: readonly Check[] = [reachable],
  ): Check => ({
    group,
    name,
    right,
    needs,
    advice: 'Run it again; if it stays so, look at the log of the server.',
    examine: async () => (ports === null ? skipped('NEO4J_URI is not usable') : examine(ports)),
  });
  return [
    reachable,
    check('version', 'none is needed', async (graph) => judgeVersion(await graph.readServer())),
    check('user', 'none is needed', async (graph) =>
      judgeUser(await graph.readUser(), await graph.readServer(), expected),
    ),
    check('constraints', 'it needs SHOW CONSTRAINT on the database', async (graph) =>
      expected.hasCatalog
        ? judgeConstraints(await graph.findConstraintProblems())
        : skipped('the catalog cannot be loaded'),
    ),
    check('indexes', 'it needs SHOW INDEX on the database', async (graph) =>
      judgeIndexes(await graph.readIndexes(), expected.tombstoneIndex),
    ),
    check('manifests', 'it needs MATCH on the nodes OutgraphAggregate', async (graph) =>
      judgeForms(await graph.readManifestForms()),
    ),
    {
      ...check(
        'outbox',
        'it needs MATCH on the nodes OutgraphAggregate, and find on outboxIdentity',
        async (graph) => {
          await graph.checkBinding();
          return ok('the graph belongs to this outbox');
        },
        [reachable, expected.mongodbReachable],
      ),
      advice: 'docs/runbook.md, graph-of-another-outbox and clock-behind-graph, says what to do.',
    },
    check(
      'clock',
      'none is needed',
      async (graph) =>
        judgeClock((await graph.readServer()).clockAheadMillis - (await graph.readMongodbClockAheadMillis())),
      [reachable, expected.mongodbReachable],
    ),
  ];
}

function judgeVersion({ version, edition }: Neo4jServer): Finding {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [oldestMajor, oldestMinor] = oldestNeo4j;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return wrong(`${version}, and outgraph needs ${oldestMajor}.${oldestMinor} or newer`, 'Upgrade Neo4j.');
  if (major > oldestMajor)
    return warning(
      `${version}: outgraph was tried with Neo4j ${oldestMajor} alone`,
      'Try it on a stage of its own first.',
    );
  return ok(`${version}, ${edition}`);
}

function judgeUser(user: Neo4jUser | null, { edition }: Neo4jServer, { isLocal }: Neo4jExpected): Finding {
  if (user === null)
    return isLocal
      ? ok('no authentication, on this machine')
      : warning(
          'nobody asks for a password: whoever reaches the server may do everything',
          'Switch authentication on.',
        );
  if (user.mustChangePassword)
    return wrong(
      `the password of ${user.user} has to be changed before it can be used`,
      'Change it, and NEO4J_PASSWORD.',
    );
  if (user.roles === null || edition === 'community')
    return ok(`${user.user}; ${edition} has no roles: every user may do everything`);
  const words = `${user.user}, with the roles ${user.roles.join(', ') || 'none'}`;
  if (user.roles.some((role) => role === 'admin' || role.startsWith('outgraph_'))) return ok(words);
  return warning(
    `${words}: none of outgraph's; whether they are enough cannot be seen without a try`,
    'docs/explanation/security.md has a role for each part, and the command that makes it.',
  );
}

function judgeConstraints(problems: readonly string[]): Finding {
  if (problems.length === 0) return ok('all that the registry and the catalog need');
  return wrong(problems.join(' '), setUpAdvice);
}

/** An index that failed, or is not ready, makes every apply slow, and a constraint without its index holds nothing. */
function judgeIndexes(indexes: readonly GraphIndex[], tombstoneIndex: string): Finding {
  const failed = indexes.filter(({ state }) => state === 'FAILED').map(({ name }) => name);
  if (failed.length > 0)
    return wrong(
      `failed: ${failed.join(', ')}`,
      'Drop them, with the constraint that owns them, and run: npx outgraph set-up.',
    );
  if (!indexes.some(({ name }) => name === tombstoneIndex))
    return wrong(`${tombstoneIndex} is missing: the purge of tombstones reads the whole registry`, setUpAdvice);
  const building = indexes.filter(({ state, populationPercent }) => state !== 'ONLINE' || populationPercent < 100);
  if (building.length > 0)
    return warning(
      `not ready: ${building.map(({ name, populationPercent }) => `${name} (${Math.floor(populationPercent)} %)`).join(', ')}`,
      'Wait until they are: SHOW INDEXES.',
    );
  return ok(`${indexes.length} of outgraph's, all online`);
}

function judgeForms(forms: readonly string[]): Finding {
  try {
    for (const form of forms) decodeManifest(`${form}\n`);
  } catch (error) {
    return wrong(describeError(error).reason, 'docs/how-to/upgrade.md says how a version is taken back.');
  }
  return ok(forms.length === 0 ? 'none yet' : `form ${forms.join(', ')}, which this version reads`);
}

function judgeClock(aheadMillis: number): Finding {
  const seconds = aheadMillis / 1_000;
  if (Math.abs(seconds) <= clockSkewSeconds) return ok(clockText(seconds, 'MongoDB'));
  return warning(
    clockText(seconds, 'MongoDB'),
    'Let NTP set the clocks: how long a deletion is remembered goes by that of Neo4j.',
  );
}
