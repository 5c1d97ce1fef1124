/**
 * A second stage on the running LocalStack, with the Atlas Trigger as its ingress: deployed through the real serverless.yml, with a database of its own, and removed in the end. LocalStack makes the partner
 * event bus as any other: it does not ask whether its source was offered to the account, and takes what nobody but a partner may put on it on AWS.
 */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deployStage, type Ways } from '../../infra/local/deploy.ts';
import { projectRoot } from '../../infra/local/paths.ts';
import { triggerSource } from '../atlas-envelope.ts';
import { removeResources, targetBeside } from './second-deployment.ts';

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
    const ways = await deployStage(targetBeside(MONGODB_DATABASE, atlasStage), {
      service: 'outgraph',
      stage: atlasStage,
      params: ['ingress=atlas', `partnerEventSource=${triggerSource}`, `sweepStaleSeconds=${sweepStaleSeconds}`],
      folder,
    });
    return { ...ways, remove: () => removeResources(`outgraph-${atlasStage}`) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
