/**
 * A setting by reference: what it names is read from AWS when it is needed, so that a secret never stands in an
 * environment value.
 */

/** What a reference names. */
export type Reference =
  | { readonly service: 'ssm'; readonly name: string }
  | { readonly service: 'secretsmanager'; readonly name: string; readonly field: string | null };

const prefix = /^(ssm|secretsmanager):/;
// The characters that SSM and Secrets Manager allow in names, and ARNs of both.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
const ssm = /^ssm:([\w.\-/:]{1,1011})$/;
const secretsManager = /^secretsmanager:([\w.\-/:+=@!]{1,640})(?:#([^#]+))?$/;

/** Whether a setting's value names a place instead of being the value itself. */
export function isReference(value: string): boolean {
  return prefix.test(value);
}

/**
 * The reference that a value is, or null if it is none that can be read.
 *
 * @example
 * parseReference('ssm:/outgraph/prod/consumer/mongodb-uri'); // { service: 'ssm', name:
 * '/outgraph/prod/consumer/mongodb-uri' } parseReference('secretsmanager:outgraph/prod/consumer#mongodb-uri'); // one
 * field of a secret that is JSON
 */
export function parseReference(value: string): Reference | null {
  const parameter = ssm.exec(value);
  if (parameter?.[1] !== undefined) return { service: 'ssm', name: parameter[1] };
  const secret = secretsManager.exec(value);
  if (secret?.[1] !== undefined) return { service: 'secretsmanager', name: secret[1], field: secret[2] ?? null };
  return null;
}
