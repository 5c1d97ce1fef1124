/**
 * What the scripts of this folder share: passwords come from the environment, and what goes wrong is said in one line.
 */

/**
 * The passwords that the environment gives, by part: of the user of the set-up for MongoDB from
 * `MONGODB_SET_UP_PASSWORD`.
 *
 * @param prefix of the variables: the database's name.
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

/** Runs a script to the text that it prints. */
export async function runScript(run: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(await run());
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
