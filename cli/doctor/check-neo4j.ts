/**
 * The doctor's checks of Neo4j: the server, the user, constraints and indexes, and the form of the
 * manifests.
 */
import { describeError } from '../../lib/contract/fault.ts';
import { decodeManifest } from '../../lib/graph/manifest.ts';
import { type Check, clockText, type Finding, ok, setUpAdvice, skipped, warning, wrong } from './doctor.ts';
import { clockSkewSeconds, duplicatingNeo4j, losingNeo4j, oldestNeo4j, testedNeo4j } from './expectations.ts';
import type { GraphIndexFacts, GraphServerFacts, GraphUserFacts } from './neo4j-inspect-graph.ts';

/** The facts to judge. The queries throw their faults. */
export interface Neo4jPorts {
  readonly readServer: () => Promise<GraphServerFacts>;
  /** Null without authentication. */
  readonly readUser: () => Promise<GraphUserFacts | null>;
  /** Problems of the constraints of registry and catalog, as text. */
  readonly findConstraintProblems: () => Promise<readonly string[]>;
  /** outgraph's own. */
  readonly readIndexes: () => Promise<readonly GraphIndexFacts[]>;
  /** Of the declared indexes. */
  readonly findIndexProblems: () => Promise<readonly string[]>;
  /** The distinct first lines of some manifests. */
  readonly readManifestForms: () => Promise<readonly string[]>;
  /** Throws if the graph belongs to another outbox, or has later positions than MongoDB. */
  readonly checkBinding: () => Promise<void>;
  /** How far MongoDB's clock is ahead of this machine's. */
  readonly readMongodbClockAheadMillis: () => Promise<number>;
}

export interface Neo4jExpected {
  readonly isLocal: boolean;
  readonly hasCatalog: boolean;
  /** The index of the purge. */
  readonly tombstoneIndex: string;
  /** Empty without one. */
  readonly source: string;
  readonly mongodbReachable: Check;
}

/** @param ports null if the address is missing. */
export function neo4jChecks(ports: Neo4jPorts | null, expected: Neo4jExpected): readonly Check[] {
  const group = 'Neo4j';
  const reachable: Check = {
    group,
    name: 'reachable',
    advice:
      'Check that NEO4J_URI names a running server, that NEO4J_DATABASE exists, ' +
      'and that the network allows this machine.',
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
    advice: "Run it again; if it fails again, check the server's log.",
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
      judgeIndexes(
        await graph.readIndexes(),
        expected.tombstoneIndex,
        expected.hasCatalog ? await graph.findIndexProblems() : [],
      ),
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
          const { source } = expected;
          return ok(`the ${source === '' ? 'graph' : `graph's source ${source}`} belongs to this outbox`);
        },
        [reachable, expected.mongodbReachable],
      ),
      advice: 'See docs/runbook.md, graph-of-another-outbox and clock-behind-graph.',
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

function judgeVersion({ version, edition }: GraphServerFacts): Finding {
  // Aura reports 5.27-aura, whichever release it runs.
  if (version.endsWith('-aura')) return ok(`${version}: Aura, which Neo4j keeps up to date`);
  const release = version.split('.').slice(0, 2).join('.');
  if (isOlder(release, oldestNeo4j))
    return wrong(`${version}, but outgraph needs ${oldestNeo4j} or newer`, 'Upgrade Neo4j.');
  if (release === duplicatingNeo4j)
    return wrong(
      `${version} creates duplicate nodes if a key has several properties: ` +
        'https://github.com/neo4j/neo4j/issues/13729',
      'Upgrade Neo4j, then compare the graph with the documents: npx outgraph verify.',
    );
  if (version === losingNeo4j)
    return warning(
      `${version} can lose a property that MERGE sets: https://status.neo4j.io/incidents/tdzxskczyvc0`,
      'Upgrade Neo4j to 2026.02.1 or newer.',
    );
  if (testedNeo4j.some((tested) => tested === release)) return ok(`${version}, ${edition}`);
  return warning(
    `${version}: outgraph was tested with Neo4j ${testedNeo4j.join(' and ')}`,
    'Test it on a separate stage first.',
  );
}

function isOlder(release: string, than: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [thanMajor = 0, thanMinor = 0] = than.split('.').map(Number);
  return major < thanMajor || (major === thanMajor && minor < thanMinor);
}

function judgeUser(user: GraphUserFacts | null, { edition }: GraphServerFacts, { isLocal }: Neo4jExpected): Finding {
  if (user === null)
    return isLocal
      ? ok('no authentication, on this machine')
      : warning('there is no authentication: anyone who reaches the server has all rights', 'Enable authentication.');
  if (user.mustChangePassword)
    return wrong(
      `the password of ${user.user} must be changed before it can be used`,
      'Change it, and NEO4J_PASSWORD.',
    );
  if (user.roles === null || edition === 'community')
    return ok(`${user.user}; ${edition} has no roles: every user has all rights`);
  const words = `${user.user}, with the roles ${user.roles.join(', ') || 'none'}`;
  if (user.roles.some((role) => role === 'admin' || role.startsWith('outgraph_'))) return ok(words);
  return warning(
    `${words}: none is outgraph's, and the doctor cannot check whether they are sufficient`,
    'docs/explanation/security.md has a role for each part, and the command that creates it.',
  );
}

function judgeConstraints(problems: readonly string[]): Finding {
  if (problems.length === 0) return ok('all that the registry and the catalog need');
  return wrong(problems.join(' '), setUpAdvice);
}

/**
 * A failed or unfinished index makes every apply slow, and a constraint without its index has no
 * effect.
 */
function judgeIndexes(
  indexes: readonly GraphIndexFacts[],
  tombstoneIndex: string,
  problems: readonly string[],
): Finding {
  const failed = indexes.filter(({ state }) => state === 'FAILED').map(({ name }) => name);
  if (failed.length > 0)
    return wrong(
      `failed: ${failed.join(', ')}`,
      'Drop them together with their constraints, then run: npx outgraph set-up.',
    );
  if (!indexes.some(({ name }) => name === tombstoneIndex))
    return wrong(`${tombstoneIndex} is missing: the purge of tombstones reads the whole registry`, setUpAdvice);
  if (problems.length > 0) return wrong(problems.join(' '), setUpAdvice);
  const building = indexes
    .filter(({ state, populationPercent }) => state !== 'ONLINE' || populationPercent < 100)
    .map(({ name, populationPercent }) => `${name} (${Math.floor(populationPercent)} %)`);
  if (building.length > 0) return warning(`not ready: ${building.join(', ')}`, 'Wait until they are: SHOW INDEXES.');
  return ok(`${indexes.length} of outgraph's, all online`);
}

function judgeForms(forms: readonly string[]): Finding {
  try {
    for (const form of forms) decodeManifest(`${form}\n`);
  } catch (error) {
    return wrong(describeError(error).reason, 'docs/how-to/upgrade.md explains how to downgrade.');
  }
  return ok(forms.length === 0 ? 'none yet' : `form ${forms.join(', ')}, which this version reads`);
}

function judgeClock(aheadMillis: number): Finding {
  const seconds = aheadMillis / 1_000;
  if (Math.abs(seconds) <= clockSkewSeconds) return ok(clockText(seconds, 'MongoDB'));
  return warning(
    clockText(seconds, 'MongoDB'),
    "Synchronise the clocks with NTP: the age of tombstones is measured by Neo4j's clock.",
  );
}
