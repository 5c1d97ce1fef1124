/**
 * A setting by reference: its value is read from AWS when needed, so that no environment variable
 * holds a secret.
 */

/** The target of a reference. */
export type Reference =
  | { readonly service: 'ssm'; readonly name: string }
  | { readonly service: 'secretsmanager'; readonly name: string; readonly field: string | null };

const prefix = /^(ssm|secretsmanager):/;
// The characters that SSM and Secrets Manager allow in names, and ARNs of both.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const ssm = /^ssm:([\w.\-/:]{1,1011})$/;
const secretsManager = /^secretsmanager:([\w.\-/:+=@!]{1,640})(?:#([^#]+))?$/;

/** Whether a setting's value is a reference instead of the value itself. */
export function isReference(value: string): boolean {
  return prefix.test(value);
}

/**
 * Parses a reference; null if it is malformed.
 *
 * @example
 * parseReference('ssm:/outgraph/prod/consumer/mongodb-uri');
 * // { service: 'ssm', name: '/outgraph/prod/consumer/mongodb-uri' }
 * // One field of a JSON secret:
 * parseReference('secretsmanager:outgraph/prod/consumer#mongodb-uri');
 */
export function parseReference(value: string): Reference | null {
  const parameter = ssm.exec(value);
  if (parameter?.[1] !== undefined) return { service: 'ssm', name: parameter[1] };
  const secret = secretsManager.exec(value);
  if (secret?.[1] !== undefined) return { service: 'secretsmanager', name: secret[1], field: secret[2] ?? null };
  return null;
}
