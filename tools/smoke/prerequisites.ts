/** What a deployment needs: quotas, the stage's secrets, and databases that can be reached. */
import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { connectNeo4j } from '../../lib/graph/neo4j-connect.ts';
import { pingNeo4j } from '../../lib/graph/neo4j-ping.ts';
import { connectMongodb, pingMongodb } from '../../lib/outbox/mongodb-connect.ts';
import { createReferenceReader } from '../../lib/runtime/secrets.ts';
import { secretOwners } from '../local/put-secrets.ts';
import { StackError } from '../local/stack-error.ts';
import type { Check } from './check.ts';
import { type SmokeStage, usesSecretsManager } from './stage.ts';

/** Two publishers, one sweep, four consumers and one set-up: infra/params.yml. */
const neededConcurrency = 8;

export const prerequisites: readonly Check[] = [
  {
    name: "The account's quota of concurrent executions is enough",
    phase: 'before',
    run: async ({ aws }) => {
      const { AccountLimit } = await aws.lambda.send(new GetAccountSettingsCommand({}));
      const free = AccountLimit?.UnreservedConcurrentExecutions ?? 0;
      if (free < neededConcurrency)
        throw new StackError(
          `Lambda has ${free} unreserved concurrent executions in this region, and a stage needs ` +
            `${neededConcurrency}. ` +
            'Request more in Service Quotas: "Concurrent executions" of AWS Lambda.',
        );
      return `${free} unreserved`;
    },
  },
  { name: 'Every secret of the stage is in place', phase: 'before', run: readSecrets },
  {
    name: 'MongoDB can be reached from here',
    phase: 'before',
    run: async ({ databases }) => {
      const client = connectMongodb(databases.MONGODB_URI);
      await pingMongodb(client.db(databases.MONGODB_DATABASE)).finally(() => client.close());
      return `database ${databases.MONGODB_DATABASE}`;
    },
  },
  {
    name: 'Neo4j can be reached from here',
    phase: 'before',
    run: async ({ databases }) => {
      const { NEO4J_URI: uri, NEO4J_USERNAME: username, NEO4J_PASSWORD: password, NEO4J_DATABASE } = databases;
      const driver = connectNeo4j({ uri, username, password }, { retrySeconds: 5 });
      await pingNeo4j(driver, NEO4J_DATABASE).finally(() => driver.close());
      return NEO4J_DATABASE === '' ? "the user's home database" : `database ${NEO4J_DATABASE}`;
    },
  },
];

async function readSecrets(smokeStage: SmokeStage): Promise<string> {
  const { service, stage, databases } = smokeStage;
  const inSecretsManager = usesSecretsManager(smokeStage);
  const read = createReferenceReader();
  const value = (name: string) => {
    const path = `/${service}/${stage}/${name}`;
    const reference = inSecretsManager
      ? ({ service: 'secretsmanager', name: path, field: null } as const)
      : ({ service: 'ssm', name: path } as const);
    return read(reference, { maxAgeSeconds: 1, fresh: true });
  };
  const names = secretOwners.flatMap((owner) => [
    `${owner}/mongodb-uri`,
    ...(owner === 'publisher' ? [] : [`${owner}/neo4j-username`, `${owner}/neo4j-password`]),
  ]);
  const graph = await value('neo4j-uri');
  await Promise.all(names.map(value));
  if (graph !== databases.NEO4J_URI)
    throw new StackError(
      `The secret /${service}/${stage}/neo4j-uri is not the address in NEO4J_URI: the stage would write to another ` +
        'graph than the one that is verified. Correct one of the two.',
    );
  return `${names.length + 1} found`;
}
