/** The deployed functions and their servers, deployed when the first test file requests them. */
import { askSetUp } from './ask-set-up.ts';
import type { DeployedStack } from './global-setup/servers.ts';

/** The description of the deployment. */
export const stack = await askSetUp<DeployedStack>('stack');
