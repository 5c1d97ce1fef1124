/** Global set-up of the projects whose tests need the deployed functions: one deployment for all of them. */
import type { TestProject } from 'vitest/node';
import type { StackDescription } from '../../../infra/local/stack.ts';
import { acquireServers, deployOnce, releaseServers } from './shared-servers.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The stack that the functions are deployed to, and the folder of its logs. */
    stack?: StackDescription & { readonly logsFolder: string };
  }
}

export async function setup(project: TestProject): Promise<void> {
  const servers = await acquireServers();
  const stack = await deployOnce(servers);
  project.provide('servers', stack);
  project.provide('stack', { ...stack, logsFolder: servers.logsFolder });
}

export const teardown = releaseServers;
