/**
 * Secrets by reference: read from SSM and Secrets Manager, rotated without a deployment, and stored
 * nowhere else.
 */
import { randomUUID } from 'node:crypto';
import { CloudFormationClient, DescribeStacksCommand, GetTemplateCommand } from '@aws-sdk/client-cloudformation';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createReferenceReader, type ReadReference } from '../../lib/runtime/secrets.ts';
import { service, stage } from '../../tools/local/deploy.ts';
import { stack } from '../support/stack.ts';

const aws = { endpoint: stack.awsEndpointUrl, region: stack.awsRegion };
const ssm = new SSMClient(aws);
const secretsManager = new SecretsManagerClient(aws);
const lambda = new LambdaClient(aws);
const cloudformation = new CloudFormationClient(aws);

let read: ReadReference;
beforeAll(() => {
  vi.stubEnv('AWS_ENDPOINT_URL', stack.awsEndpointUrl);
  read = createReferenceReader();
});
afterAll(() => {
  vi.unstubAllEnvs();
  for (const client of [ssm, secretsManager, lambda, cloudformation]) client.destroy();
});

const put = (Name: string, Value: string) =>
  ssm.send(new PutParameterCommand({ Name, Value, Type: 'SecureString', Overwrite: true }));
const cached = { maxAgeSeconds: 300, fresh: false };

it('reads a changed parameter again on request, or once its maximum age has passed', async () => {
  const name = `/test/${randomUUID()}`;
  const reference = { service: 'ssm', name } as const;
  await put(name, 'before');
  expect(await read(reference, cached)).toBe('before');
  await put(name, 'after');
  expect(await read(reference, cached)).toBe('before');
  expect(await read(reference, { ...cached, fresh: true })).toBe('after');
  expect(await read(reference, cached)).toBe('after');
});

it('reads a whole secret or one field of it', async () => {
  const name = `/test/${randomUUID()}`;
  const SecretString = JSON.stringify({ password: 'word' });
  await secretsManager.send(new CreateSecretCommand({ Name: name, SecretString }));
  expect(await read({ service: 'secretsmanager', name, field: null }, cached)).toBe(SecretString);
  expect(await read({ service: 'secretsmanager', name, field: 'password' }, cached)).toBe('word');
  const missing = read({ service: 'secretsmanager', name, field: 'user' }, cached);
  await expect(missing).rejects.toMatchObject({ code: 'secret-unavailable' });
  await expect(missing).rejects.toThrow(/no field "user"/);
});

it.each(['ssm', 'secretsmanager'] as const)('a dangling %s reference names what is missing', async (service) => {
  const name = `/test/${randomUUID()}`;
  const reading = read({ service, name, field: null }, cached);
  await expect(reading).rejects.toMatchObject({ code: 'secret-unavailable' });
  await expect(reading).rejects.toThrow(name);
});

it('no environment, output or template contains the address of a database', async () => {
  const StackName = `${service}-${stage}`;
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName }));
  const { TemplateBody = '' } = await cloudformation.send(new GetTemplateCommand({ StackName }));
  const names = [...Object.values(stack.functions), `${service}-${stage}-setUp`];
  const environments = await Promise.all(
    names.map(async (FunctionName) => {
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      expect(Environment?.Variables?.MONGODB_URI).toMatch(/^ssm:/);
      return Environment?.Variables;
    }),
  );
  const everything = JSON.stringify({ outputs: Stacks[0]?.Outputs, TemplateBody, environments });
  expect(everything).toContain('mongodb-uri');
  for (const secret of [stack.mongodbUri, stack.neo4jUri]) expect(everything).not.toContain(secret);
});
