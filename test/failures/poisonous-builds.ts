/** Builds the production consumer with the poisonous catalog. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { requirePython } from '../../tools/local/prerequisites.ts';
import { runCommand } from '../../tools/local/run-command.ts';

/** Returns the zip of such a consumer; its files are below `folder`. */
export async function buildPoisonousConsumer(folder: string): Promise<Uint8Array> {
  const code = path.join(folder, 'poisonous');
  await mkdir(code, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, 'poisonous-consumer.ts')],
    outfile: path.join(code, 'functions/consumer.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    logLevel: 'silent',
  });
  const zip = path.join(folder, 'poisonous.zip');
  await writeFile(path.join(folder, 'poisonous.log'), '');
  await runCommand({
    command: requirePython('Packing a function', 'nothing else'),
    args: ['-m', 'zipfile', '-c', zip, 'functions'],
    cwd: code,
    logFile: path.join(folder, 'poisonous.log'),
    onFailure: 'The consumer could not be packed.',
  });
  return readFile(zip);
}
