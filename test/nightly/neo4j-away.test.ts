/** The worker through a long outage, as a platform sees it. */
import { vi } from 'vitest';
import { expectToSurviveWithoutNeo4j } from '../support/neo4j-away.ts';
import { it } from '../support/site.ts';

vi.setConfig({ testTimeout: 900_000, hookTimeout: 240_000 });

it('a worker without Neo4j for five minutes stays live, is not ready, and recovers without a loss', ({ site }) =>
  expectToSurviveWithoutNeo4j(site, 300));
