/** The servers for the tests. A missing server fails the run: no test is skipped because of it. */
import { inject } from 'vitest';
import type { ServersDescription } from '../../tools/local/stack.ts';
import { startsNoServers } from './ask-set-up.ts';

/** The addresses of MongoDB, Neo4j and LocalStack. */
export const servers: ServersDescription = required();

function required(): ServersDescription {
  const provided = inject('servers');
  if (provided === undefined) throw new Error(startsNoServers);
  return provided;
}
