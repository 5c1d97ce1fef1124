/** The settings of a command, from the environment and from what it refers to in SSM or Secrets Manager. */
import type { z } from 'zod';
import { createReferenceReader } from '../lib/aws/secrets.ts';
import { readSettings } from '../lib/config/settings.ts';
import { readReferred } from '../lib/wiring/with-references.ts';

/** Wrong use or settings. */
export const wrongUse = 2;

/** Reads them; where they are wrong, says all that is wrong and ends the process. */
export async function readSettingsOrExit<Settings>(schema: z.ZodType<Settings> & z.ZodObject): Promise<Settings> {
  try {
    readSettings(schema, process.env);
    const read = createReferenceReader();
    const values = await readReferred(schema, process.env, (reference) =>
      read(reference, { maxAgeSeconds: 1, fresh: true }),
    );
    return readSettings(schema, values);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(wrongUse);
  }
}
