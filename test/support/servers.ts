/** The servers that run for the tests. A missing server fails the run: no test is skipped because it has none. */
import { inject } from 'vitest';
import type { ServersDescription } from '../../infra/local/stack.ts';
import type {} from './global-setup/servers.ts';

/** Where MongoDB, Neo4j and LocalStack are. */
export const servers: ServersDescription = required();

function required(): ServersDescription {
  const provided = inject('servers');
  if (provided === undefined)
    throw new Error(
      'This project starts no servers: add test/support/global-setup/servers.ts to it in vitest.config.ts.',
    );
  return provided;
}
