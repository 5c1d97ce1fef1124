/** A real Neo4j Community on a loopback port, from jars that Maven downloads. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import neo4j, { Neo4jError } from 'neo4j-driver';
import { type BackgroundProcess, type KeepProcess, startInBackground } from './children.ts';
import { freePort } from './free-port.ts';
import { install } from './install.ts';
import { installJava, type Java } from './java.ts';
import { downloadJars } from './maven.ts';
import { type Neo4jRelease, neo4jRelease } from './neo4j-releases.ts';
import { downloadsFolder } from './paths.ts';
import type { RunStep } from './progress.ts';
import { RestartableServer } from './restartable-server.ts';
import { StackError } from './stack-error.ts';
import { waitForStart } from './wait-for-start.ts';

/** A running Neo4j without authentication. */
export interface Neo4jServer {
  readonly uri: string;
  readonly process: BackgroundProcess;
}

/** What starts a Neo4j. */
export interface Neo4jInstallation {
  readonly release: Neo4jRelease;
  /** The folder of its jars. */
  readonly folder: string;
  readonly java: Java;
}

/**
 * Downloads Neo4j's jars, and a Java to run them, if they do not exist yet. For tests, which start
 * many servers, it also prepares quick starts.
 *
 * @throws StackError
 */
export async function installNeo4j(
  step: RunStep,
  signal: AbortSignal,
  { shortLived = false, release = neo4jRelease() }: InstallOptions = {},
): Promise<Neo4jInstallation> {
  const java = await installJava(release.oldestJava, step, signal);
  const folder = await install(
    {
      name: `neo4j-${release.version}`,
      title: `Downloading Neo4j ${release.version} (about 140 MB)`,
      fill: (target, log) => fillNeo4j(release, target, log, signal),
    },
    step,
  );
  const installation = { release, folder, java };
  if (shortLived) {
    await install(
      {
        name: classesName(installation),
        title: `Preparing quick starts of Neo4j ${release.version}`,
        fill: (target, log) => archiveClasses(installation, target, log),
      },
      step,
    );
  }
  return installation;
}

interface InstallOptions {
  readonly shortLived?: boolean | undefined;
  readonly release?: Neo4jRelease | undefined;
}

/** An archive works only with the same Java and the same jars at the same path. */
function classesName({ release, java }: Neo4jInstallation): string {
  const of = createHash('sha256').update(`${java.version} ${downloadsFolder}`).digest('hex').slice(0, 12);
  return `neo4j-${release.version}-classes-${of}`;
}

/**
 * An archive of Neo4j's loaded classes. Processor time up to the line "Started.", measured with the
 * flags for tests: 10 s without it, 6.6 s with it.
 *
 * https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
 */
const classArchive = 'classes.jsa';

/** Makes Java use the archive. Java ignores an archive that is missing or does not fit. */
function sharedArchive(installation: Neo4jInstallation): string {
  return `-XX:SharedArchiveFile=${path.join(downloadsFolder, classesName(installation), classArchive)}`;
}

/**
 * Starts a server once, runs typical statements of graph writers, and makes Java write the archive
 * at its end.
 */
async function archiveClasses(installation: Neo4jInstallation, folder: string, logFile: string): Promise<void> {
  const archive = `-XX:ArchiveClassesAtExit=${path.join(folder, classArchive)}`;
  const server = await startNeo4j(installation, folder, logFile, () => undefined, { shortLived: true, archive });
  const driver = neo4j.driver(server.uri);
  for (const statement of usualStatements) await driver.executeQuery(statement);
  await driver.close();
  // Not `stop`, which does not wait long enough for Java to write the archive.
  process.kill(server.process.pid, 'SIGTERM');
  await server.process.ended.catch(() => undefined);
  await rm(path.join(folder, 'neo4j'), { recursive: true, force: true });
}

const usualStatements = [
  'CREATE CONSTRAINT things FOR (n:Thing) REQUIRE n.id IS UNIQUE',
  `UNWIND range(1, 10) AS id MERGE (n:Thing {id: id}) ON CREATE SET n.at = datetime()
   WITH n MERGE (n)-[r:LIKES]->(:Other {id: n.id}) RETURN count(r)`,
  `MATCH (n:Thing) WHERE n.id IN [1, 2] OPTIONAL MATCH (n)-[r]->(m)
   WITH n, collect({to: properties(m), type: type(r)}) AS ends
   CALL (n) { RETURN count { (n)--() } AS degree }
   RETURN n {.*}, ends, degree ORDER BY n.id`,
  'MATCH (n:Thing)-[r:LIKES]->() DELETE r SET n.done = true REMOVE n.at RETURN n',
  'DROP CONSTRAINT things',
];

async function fillNeo4j(
  { version, jarsSha256 }: Neo4jRelease,
  folder: string,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const lib = await downloadJars({
    pom: path.join(import.meta.dirname, 'neo4j/pom.xml'),
    properties: { 'neo4j.version': version },
    folder,
    logFile,
    onFailure: 'The download of Neo4j failed: Maven must reach its repository, or set NEO4J_URI to a running Neo4j.',
    signal,
  });
  const digest = await digestOfJars(lib);
  if (digest !== jarsSha256)
    throw new StackError(`The downloaded Neo4j is not the pinned one (SHA-256 ${digest}), so it is not used.`);
}

async function digestOfJars(lib: string): Promise<string> {
  const all = createHash('sha256');
  for (const name of (await readdir(lib)).sort()) {
    const digest = createHash('sha256')
      .update(await readFile(path.join(lib, name)))
      .digest('hex');
    all.update(`${name} ${digest}\n`);
  }
  return all.digest('hex');
}

interface Neo4jOptions {
  /** The port of a server that is started again. */
  readonly port?: number;
  /** The password of the user `neo4j`. Without it, the server has no authentication. */
  readonly password?: string | undefined;
  /** Further lines for its configuration file. */
  readonly settings?: readonly string[];
  /** For tests: starts with less than half the processor time, but is slower in the long run. */
  readonly shortLived?: boolean | undefined;
  /** Java's flag for the archive of classes, if not to use it. */
  readonly archive?: string;
}

/** Processor time up to the line "Started.": 17.7 s without these flags, 7.6 s with them. */
const shortLivedFlags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** Starts Neo4j with its data below `folder`, and waits until it answers. */
export async function startNeo4j(
  installation: Neo4jInstallation,
  folder: string,
  logFile: string,
  keep: KeepProcess,
  options: Neo4jOptions = {},
): Promise<Neo4jServer> {
  const port = options.port ?? (await freePort());
  const home = path.join(folder, 'neo4j');
  await mkdir(path.join(home, 'conf'), { recursive: true });
  const { password, settings = [], shortLived = false } = options;
  const { release, java } = installation;
  const lines = [`dbms.security.auth_enabled=${password !== undefined}`, ...release.settings, ...settings];
  await writeFile(path.join(home, 'conf/neo4j.conf'), `${configuration(port)}${lines.join('\n')}\n`);
  const opened = ['java.nio', 'java.io', 'sun.nio.ch', 'java.lang'].map(
    (name) => `--add-opens=java.base/${name}=ALL-UNNAMED`,
  );
  const server = startInBackground({
    name: 'Neo4j',
    command: java.command,
    args: [
      ...opened,
      ...(shortLived ? [...shortLivedFlags, options.archive ?? sharedArchive(installation)] : []),
      '-Xms512m',
      '-Xmx1g',
      '-cp',
      path.join(installation.folder, 'lib/*'),
      release.entryPoint,
      `--home-dir=${home}`,
      `--config-dir=${path.join(home, 'conf')}`,
      '--console-mode',
    ],
    cwd: home,
    logFile,
  });
  keep(server);
  const uri = `bolt://127.0.0.1:${port}`;
  await waitForStart(() => answers(uri, password), { process: server, logFile, pollMillis: 200 });
  return { uri, process: server };
}

function configuration(port: number): string {
  return `dbms.usage_report.enabled=false
server.bolt.listen_address=127.0.0.1:${port}
server.bolt.advertised_address=127.0.0.1:${port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=256m
server.memory.heap.max_size=1g
db.tx_log.rotation.retention_policy=keep_none
`;
}

/** A Neo4j that can be killed, paused and started again. */
export interface RestartableNeo4j {
  readonly uri: string;
  readonly server: RestartableServer;
  /**
   * Sets lines in its configuration file, which apply from its next start on and replace earlier
   * ones.
   */
  readonly configure: (lines: readonly string[]) => void;
}

/**
 * Starts a Neo4j with its data below `folder`. It keeps its address and data when it is started
 * again.
 */
export async function startRestartableNeo4j(
  folder: string,
  step: RunStep,
  signal: AbortSignal,
  {
    logFile = path.join(folder, 'neo4j.log'),
    password,
    shortLived,
    release,
    settings: initialSettings = [],
  }: {
    readonly logFile?: string;
    readonly password?: string;
    readonly shortLived?: boolean;
    readonly release?: Neo4jRelease;
    /** Lines in its configuration file, until `configure` replaces them. */
    readonly settings?: readonly string[];
  } = {},
): Promise<RestartableNeo4j> {
  const installation = await installNeo4j(step, signal, { shortLived, release });
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  let settings = initialSettings;
  const launch = async () => {
    return (await startNeo4j(installation, folder, logFile, () => undefined, { port, settings, password, shortLived }))
      .process;
  };
  return {
    uri: `bolt://127.0.0.1:${port}`,
    server: await RestartableServer.start(launch),
    configure: (lines) => {
      settings = lines;
    },
  };
}

const unauthorized = 'Neo.ClientError.Security.Unauthorized';

/**
 * Resolves once a query runs. A new server first needs its initial password replaced, and runs no
 * other query until then.
 */
async function answers(uri: string, password: string | undefined): Promise<true> {
  const ask = async (given: string | undefined, statement: string, database: string) => {
    const auth = given === undefined ? undefined : neo4j.auth.basic('neo4j', given);
    const driver = neo4j.driver(uri, auth, { connectionTimeout: 2_000, maxTransactionRetryTime: 0 });
    try {
      await driver.executeQuery(statement, { password }, { database });
    } finally {
      await driver.close();
    }
  };
  try {
    await ask(password, 'RETURN 1', '');
  } catch (error) {
    // Only in this case: several wrong passwords lock the user out for some seconds.
    if (password === undefined || !(error instanceof Neo4jError) || error.code !== unauthorized) throw error;
    await ask('neo4j', "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password", 'system');
  }
  return true;
}
