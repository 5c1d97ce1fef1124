/** Shared by the scripts of this folder: reading passwords, and printing an error in one line. */

/**
 * Reads the passwords from the environment, by part. For example, `MONGODB_SET_UP_PASSWORD` is the
 * password of the set-up's user in MongoDB.
 *
 * @param prefix of the variables: the name of the database server.
 */
export function readPasswords<Part extends string>(
  prefix: 'MONGODB' | 'NEO4J',
  parts: readonly Part[],
): ReadonlyMap<Part, string> {
  const passwords = new Map<Part, string>();
  for (const part of parts) {
    const password = process.env[`${prefix}_${part.toUpperCase().replaceAll('-', '_')}_PASSWORD`];
    if (password !== undefined && password !== '') passwords.set(part, password);
  }
  return passwords;
}

/** Runs a script and prints its result. On an error, prints the error and sets exit code 1. */
export async function runScript(run: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await run());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
