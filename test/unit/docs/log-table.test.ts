/**
 * The log messages are a fixed set: the table of `docs/reference/logs.md` lists exactly what the
 * code logs.
 */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';

/** Each call of a logger, as "LEVEL message". A message that is not a literal is missing. */
async function loggedMessages(): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const file of glob('{lib,functions,cli}/**/*.ts', { cwd: projectRoot })) {
    const code = readFileSync(path.join(projectRoot, file), 'utf8');
    for (const [, level = '', message] of code.matchAll(
      /\blogger\s*\.\s*(debug|info|warn|error|critical)\(\s*(?:'([^']+)')?/g,
    ))
      found.push(`${level.toUpperCase()} ${message ?? `(no literal, in ${file})`}`);
  }
  return [...new Set(found)].sort();
}

/** The rows `| message | LEVEL | …`, in the same form. */
function tableRows(): readonly string[] {
  const text = readFileSync(path.join(projectRoot, 'docs/reference/logs.md'), 'utf8');
  return [...text.matchAll(/^\| `([^`]+)` \| (DEBUG|INFO|WARN|ERROR) \|/gm)]
    .map(([, message, level]) => `${level} ${message}`)
    .sort();
}

it('the table of log messages lists exactly what the code logs, with the levels', async () => {
  const logged = await loggedMessages();
  expect(logged).toContain('ERROR event dead');
  expect(tableRows()).toStrictEqual(logged);
});
