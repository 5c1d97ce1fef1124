/**
 * Stores the addresses and users of the local servers where `serverless.yml` refers to them: in
 * LocalStack's Parameter Store, as an operator does on AWS.
 */
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { sdkCredentials } from './credentials.ts';

/** The databases for the functions. */
export interface DatabaseAddresses {
  readonly MONGODB_URI: string;
  readonly NEO4J_URI: string;
  readonly NEO4J_USERNAME: string;
  readonly NEO4J_PASSWORD: string;
}

/** The functions that have their own secrets. */
export const secretOwners = ['publisher', 'consumer', 'sweep', 'set-up'] as const;

/**
 * Creates the parameters, or updates their values.
 *
 * @param prefix `/<service>/<stage>`.
 */
export async function putSecrets(
  { endpointUrl, region }: { readonly endpointUrl: string; readonly region: string },
  prefix: string,
  addresses: DatabaseAddresses,
): Promise<void> {
  const client = new SSMClient({ endpoint: endpointUrl, region, credentials: sdkCredentials });
  const put = (name: string, Value: string) =>
    client.send(new PutParameterCommand({ Name: `${prefix}/${name}`, Value, Type: 'SecureString', Overwrite: true }));
  try {
    await put('neo4j-uri', addresses.NEO4J_URI);
    for (const owner of secretOwners) {
      await put(`${owner}/mongodb-uri`, addresses.MONGODB_URI);
      if (owner === 'publisher') continue;
      // A parameter cannot be empty. A server without authentication accepts any user.
      await put(`${owner}/neo4j-username`, addresses.NEO4J_USERNAME || 'nobody');
      await put(`${owner}/neo4j-password`, addresses.NEO4J_PASSWORD || 'none');
    }
  } finally {
    client.destroy();
  }
}
