/** The pinned releases of Neo4j, which the tests run on. */
import { StackError } from './stack-error.ts';

export interface Neo4jRelease {
  readonly version: string;
  /** The digest of the names and digests of all jars, in the order of their names. */
  readonly jarsSha256: string;
  /** As in the jars' `META-INF/services/org.neo4j.server.startup.EntryPoint`. */
  readonly entryPoint: string;
  readonly oldestJava: number;
  /** Lines for its configuration file. */
  readonly settings: readonly string[];
}

/** The newest patch of the release with long-term support, and the newest release. */
const releases = {
  '5.26': {
    version: '5.26.30',
    jarsSha256: 'dbc6c8de8101e5a27b7d12701525f902d5ee779ea60598568b04000180024556',
    entryPoint: 'org.neo4j.server.CommunityEntryPoint',
    oldestJava: 17,
    settings: [],
  },
  '2026': {
    version: '2026.08.1',
    jarsSha256: 'c7beb357d0a805e75afa00620837b8ff7d21ecdc7eac2c73659b2b5643a0a97a',
    entryPoint: 'org.neo4j.server.Neo4jCommunity',
    oldestJava: 21,
    settings: [
      // As in the configuration file that Neo4j ships since 2026.02.
      'db.query.default_language=CYPHER_25',
      // Otherwise it broadcasts its address in the network.
      'server.fleet_discovery.enabled=false',
    ],
  },
} as const satisfies Record<string, Neo4jRelease>;

/** The name of the release to start: the environment's `OUTGRAPH_NEO4J`, or 5.26. */
export function neo4jReleaseName(): string {
  return process.env.OUTGRAPH_NEO4J ?? '5.26';
}

/** @throws StackError */
export function neo4jRelease(name = neo4jReleaseName()): Neo4jRelease {
  const release = Object.entries(releases).find(([known]) => known === name)?.[1];
  if (release !== undefined) return release;
  throw new StackError(`OUTGRAPH_NEO4J is ${name}, but must be one of: ${Object.keys(releases).join(', ')}.`);
}
