/**
 * A second stage on the running LocalStack, with the Atlas Trigger as its ingress: deployed through the real
 * serverless.yml, with a database of its own, and removed in the end. LocalStack makes the partner event bus as any
 * other: it does not ask whether its source was offered to the account, and takes what nobody but a partner may put on
 * it on AWS.
 */
import { deployStage, type Ways } from '../../tools/local/deploy.ts';
import { withDeploymentFolder } from '../../tools/local/deployment-folder.ts';
import { triggerSource } from '../support/atlas-envelope.ts';
import { removeResources, targetBeside } from './second-deployment.ts';

export const atlasStage = 'atlas';

/** Pending for longer than this is stale there. */
const sweepStaleSeconds = 5;

/** The deployed stage; call `remove` after the tests. */
export interface AtlasStage extends Ways {
  readonly remove: () => Promise<void>;
}

/** Deploys it. @throws StackError with the end of the deployment's output. */
export async function deployAtlasStage(MONGODB_DATABASE: string): Promise<AtlasStage> {
  const ways = await withDeploymentFolder('.', (folder) =>
    deployStage(targetBeside(MONGODB_DATABASE, atlasStage), {
      service: 'outgraph',
      stage: atlasStage,
      params: ['ingress=atlas', `partnerEventSource=${triggerSource}`, `sweepStaleSeconds=${sweepStaleSeconds}`],
      folder,
    }),
  );
  return { ...ways, remove: () => removeResources(`outgraph-${atlasStage}`) };
}
