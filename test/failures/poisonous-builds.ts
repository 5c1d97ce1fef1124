/** Builds what runs in production, but with the poisonous catalog. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { projectRoot } from '../../tools/local/paths.ts';
import { requirePython } from '../../tools/local/prerequisites.ts';
import { runCommand } from '../../tools/local/run-command.ts';

/** The zip of such a consumer, made below `folder`. */
export async function buildPoisonousConsumer(folder: string): Promise<Uint8Array> {
  const code = path.join(folder, 'poisonous');
  await mkdir(code, { recursive: true });
  await bundlePoisonous('functions/consumer.ts', path.join(code, 'functions/consumer.cjs'), { format: 'cjs' });
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

/** Bundles a file of the project with the poisonous catalog. */
export async function bundlePoisonous(
  source: string,
  outfile: string,
  format: Pick<BuildOptions, 'format' | 'banner'>,
): Promise<void> {
  await build({
    entryPoints: [path.join(projectRoot, source)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    ...format,
    logLevel: 'silent',
    plugins: [
      {
        name: 'poisonous-catalog',
        setup: ({ onResolve }) => {
          onResolve({ filter: /\/catalog\.ts$/ }, ({ importer }) =>
            importer.includes('poisonous-catalog')
              ? undefined
              : { path: path.join(import.meta.dirname, 'poisonous-catalog.ts') },
          );
        },
      },
    ],
  });
}
