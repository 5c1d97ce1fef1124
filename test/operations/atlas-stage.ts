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

/**
 * An event is stale after five seconds. A message whose first delivery fails, because a busy machine
 * starts the consumer slowly, comes again within the time that the tests wait.
 */
const params = ['sweepStaleSeconds=5', 'consumerTimeoutSeconds=16', 'visibilityTimeoutSeconds=18'];

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
      params: ['ingress=atlas', `partnerEventSource=${triggerSource}`, ...params],
      folder,
    }),
  );
  return { ...ways, remove: () => removeResources(`outgraph-${atlasStage}`) };
}
