import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { freePort } from '../../../tools/local/free-port.ts';

const file = path.join(import.meta.dirname, '../../../tools/local/free-port.ts');

/** The port that another process gets if it tries this one first. */
async function freePortElsewhere(first: number): Promise<number> {
  const script =
    "import { randomInt } from 'node:crypto';" +
    `import { freePort } from ${JSON.stringify(file)};` +
    `const tried = [${first}];` +
    'console.log(await freePort(() => tried.pop() ?? randomInt(12_000, 32_000)));' +
    'process.exit();';
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return Number(stdout);
}

it('a port that was given goes to no other caller, though no server listens on it yet', async () => {
  const given = await freePort();
  expect(await freePortElsewhere(given)).not.toBe(given);
  const tried = [given];
  expect(await freePort(() => tried.pop() ?? randomInt(12_000, 32_000))).not.toBe(given);
});
