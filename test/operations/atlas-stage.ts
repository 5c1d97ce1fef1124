/**
 * A second stage on the running LocalStack, with the Atlas Trigger as its ingress. It is deployed
 * with the real serverless.yml and its own database, and removed at the end. LocalStack creates the
 * partner event bus like any other bus: it does not check whether the source was offered to the
 * account, and accepts events that only a partner may send on AWS.
 */
import { deployStage, type Ways } from '../../tools/local/deploy.ts';
import { withDeploymentFolder } from '../../tools/local/deployment-folder.ts';
import { triggerSource } from '../support/atlas-envelope.ts';
import { removeResources, targetBeside } from './second-deployment.ts';

export const atlasStage = 'atlas';

/** Events that are pending for longer than this are stale in this stage. */
const sweepStaleSeconds = 5;

/** The deployed stage. Call `remove` after the tests. */
export interface AtlasStage extends Ways {
  readonly remove: () => Promise<void>;
}

/**
 * Deploys the stage.
 *
 * @throws StackError with the end of the deployment's output.
 */
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
