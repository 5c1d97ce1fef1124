/** The deployed functions and the servers that they run on; deployed when the first test file asks for them. */
import { askSetUp } from './ask-set-up.ts';
import type { DeployedStack } from './global-setup/servers.ts';

/** Where the parts of the deployment are. */
export const stack = await askSetUp<DeployedStack>('stack');
