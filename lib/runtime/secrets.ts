/** Reads the parameters and secrets that settings refer to; Powertools Parameters caches them. */
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { SSMProvider } from '@aws-lambda-powertools/parameters/ssm';
import { Fault } from '../contract/fault.ts';
import { awsTimeouts } from './aws-client.ts';
import type { Reference } from './reference.ts';

/** How to read a reference. */
export interface ReadOptions {
  /** Maximum age of a cached value. */
  readonly maxAgeSeconds: number;
  /** Whether to ignore a cached value. */
  readonly fresh: boolean;
}

export type ReadReference = (reference: Reference, options: ReadOptions) => Promise<string>;

/**
 * Creates a reader with its own cache, which connects with the first read.
 *
 * @throws Fault `secret-unavailable` that names the reference and what to do, never a value.
 */
export function createReferenceReader(): ReadReference {
  const clientConfig = awsTimeouts();
  const parameters = new SSMProvider({ clientConfig });
  const secrets = new SecretsProvider({ clientConfig });
  return async (reference, { maxAgeSeconds, fresh }) => {
    const options = { maxAge: maxAgeSeconds, forceFetch: fresh };
    const { service, name } = reference;
    const value = await readNamed(reference, () =>
      service === 'ssm' ? parameters.get(name, { ...options, decrypt: true }) : secrets.get(name, options),
    );
    return service === 'secretsmanager' && reference.field !== null
      ? readField(reference, reference.field, value)
      : value;
  };
}

async function readNamed(reference: Reference, read: () => Promise<unknown>): Promise<string> {
  const value = await read().catch((cause: unknown) => {
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.name : nameOf(cause);
    throw unavailable(
      reference,
      `could not be read (${why}). Check that it exists, and that the function's role allows reading it`,
      cause,
    );
  });
  if (typeof value !== 'string') throw unavailable(reference, 'is empty, or not text');
  return value;
}

/** A secret that is a JSON object with text fields, the format of AWS's rotation functions. */
function readField(reference: Reference, field: string, text: string): string {
  const value = parseObject(text)?.[field];
  if (typeof value !== 'string') throw unavailable(reference, `has no field "${field}" that is text`);
  return value;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const serviceNames = { ssm: 'parameter', secretsmanager: 'secret' } as const;

function unavailable({ service, name }: Reference, problem: string, cause?: unknown): Fault {
  return new Fault('secret-unavailable', `The ${serviceNames[service]} ${name} ${problem}.`, { cause });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
