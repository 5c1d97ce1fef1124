/**
 * Reads what a setting refers to: SSM parameters and Secrets Manager's secrets, kept for some time by Powertools
 * Parameters.
 */
import { SecretsProvider } from '@aws-lambda-powertools/parameters/secrets';
import { SSMProvider } from '@aws-lambda-powertools/parameters/ssm';
import { Fault } from '../contract/fault.ts';
import type { Reference } from './reference.ts';

/** How to read. */
export interface ReadOptions {
  /** How long a value that was read before is good enough. */
  readonly maxAgeSeconds: number;
  /** Whether to ask again all the same. */
  readonly fresh: boolean;
}

export type ReadReference = (reference: Reference, options: ReadOptions) => Promise<string>;

/**
 * A reader with a memory of its own; it connects with the first read.
 *
 * @throws Fault `secret-unavailable` that names the reference and what to do, never a value.
 */
export function createReferenceReader(): ReadReference {
  const parameters = new SSMProvider();
  const secrets = new SecretsProvider();
  return async (reference, { maxAgeSeconds, fresh }) => {
    const options = { maxAge: maxAgeSeconds, forceFetch: fresh };
    const { service, name } = reference;
    const value = await named(reference, () =>
      service === 'ssm' ? parameters.get(name, { ...options, decrypt: true }) : secrets.get(name, options),
    );
    return service === 'secretsmanager' && reference.field !== null
      ? readField(reference, reference.field, value)
      : value;
  };
}

async function named(reference: Reference, read: () => Promise<unknown>): Promise<string> {
  const value = await read().catch((cause: unknown) => {
    const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.name : nameOf(cause);
    throw unavailable(
      reference,
      `could not be read (${why}): it must exist, and the function's role must allow it`,
      cause,
    );
  });
  if (typeof value !== 'string') throw unavailable(reference, 'is empty, or not text');
  return value;
}

/** A secret that is a JSON object of texts, as the rotations of AWS keep it. */
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
