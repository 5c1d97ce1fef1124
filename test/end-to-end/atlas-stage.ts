/**
 * A second stage on the running LocalStack, with the Atlas Trigger as its ingress: deployed through the real serverless.yml, with a database of its own, and removed in the end. LocalStack makes the partner
 * event bus as any other: it does not ask whether its source was offered to the account, and takes what nobody but a partner may put on it on AWS.
 */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudFormationClient,
  GetTemplateCommand,
  UpdateStackCommand,
  waitUntilStackUpdateComplete,
} from '@aws-sdk/client-cloudformation';
import { deployStage, type Ways } from '../../infra/local/deploy.ts';
import { projectRoot } from '../../infra/local/paths.ts';
import { triggerSource } from '../atlas-envelope.ts';
import { graphAddress } from '../connect-graph.ts';
import { stack } from '../stack.ts';

export const atlasStage = 'atlas';

/** Pending for longer than this is stale there. */
const sweepStaleSeconds = 5;

/** What Serverless reads besides serverless.yml, which it does not take as a link. */
const linked = ['package.json', 'package-lock.json', 'tsconfig.json', 'node_modules', 'infra', 'functions', 'lib'];

/** The deployed stage; call `remove` after the tests. */
export interface AtlasStage extends Ways {
  readonly remove: () => Promise<void>;
}

/** Deploys it. @throws StackError with the end of the deployment's output. */
export async function deployAtlasStage(MONGODB_DATABASE: string): Promise<AtlasStage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-atlas-'));
  try {
    await cp(path.join(projectRoot, 'serverless.yml'), path.join(folder, 'serverless.yml'));
    await Promise.all(linked.map((name) => symlink(path.join(projectRoot, name), path.join(folder, name))));
    const { uri, username, password } = graphAddress(stack);
    const ways = await deployStage(
      {
        endpointUrl: stack.awsEndpointUrl,
        region: stack.awsRegion,
        databases: {
          MONGODB_URI: stack.mongodbUri,
          MONGODB_DATABASE,
          NEO4J_URI: uri,
          NEO4J_USERNAME: username,
          NEO4J_PASSWORD: password,
          NEO4J_DATABASE: 'neo4j',
        },
        logFile: path.join(stack.logsFolder, 'deploy-atlas.log'),
        signal: new AbortController().signal,
      },
      {
        stage: atlasStage,
        params: ['ingress=atlas', `partnerEventSource=${triggerSource}`, `sweepStaleSeconds=${sweepStaleSeconds}`],
        folder,
      },
    );
    return { ...ways, remove: removeResources };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Takes everything out of the stack but the bucket of the deployment. `serverless remove` asks for container images first, of which LocalStack knows nothing, and when a stack that was updated is deleted,
 * LocalStack removes only what it was created with.
 */
async function removeResources(): Promise<void> {
  const client = new CloudFormationClient({ endpoint: stack.awsEndpointUrl, region: stack.awsRegion });
  const StackName = `outgraph-${atlasStage}`;
  try {
    const { TemplateBody = '' } = await client.send(new GetTemplateCommand({ StackName }));
    const { Resources } = JSON.parse(TemplateBody) as { readonly Resources: Readonly<Record<string, unknown>> };
    const kept = Object.entries(Resources).filter(([name]) => name.startsWith('ServerlessDeploymentBucket'));
    const body = JSON.stringify({ Resources: Object.fromEntries(kept) });
    await client.send(new UpdateStackCommand({ StackName, TemplateBody: body }));
    await waitUntilStackUpdateComplete({ client, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { StackName });
  } finally {
    client.destroy();
  }
}
