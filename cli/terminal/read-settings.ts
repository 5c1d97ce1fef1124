/**
 * Reads a command's settings from the environment, and resolves references to SSM and Secrets
 * Manager.
 */
import type { z } from 'zod';
import { createReferenceReader } from '../../lib/runtime/secrets.ts';
import { readSettings } from '../../lib/runtime/settings.ts';
import { resolveReferences } from '../../lib/runtime/with-references.ts';
import { exitCodes } from '../exit-codes.ts';
import { Exit, type Shell } from './shell.ts';

/** @throws Exit with wrong use, after printing everything that is wrong. */
export async function readSettingsOrExit<Settings>(
  { environment, files, stderr }: Shell,
  schema: z.ZodType<Settings> & z.ZodObject,
): Promise<Settings> {
  try {
    readSettings(schema, environment);
    const read = createReferenceReader();
    const values = await resolveReferences(schema, environment, (reference) =>
      read(reference, { maxAgeSeconds: 1, fresh: true }),
    );
    return readSettings(schema, values);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const fromFiles = [...files.origins].filter(([name]) => reason.includes(`${name}:`));
    stderr.write(`${[reason, ...fromFiles.map(([name, file]) => `${file} sets ${name}.`)].join(' ')}\n`);
    throw new Exit(exitCodes.wrongUse);
  }
}
