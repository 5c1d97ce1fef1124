/**
 * Checks the convergence property on as many random histories as a test run has time for. `npm run
 * soak` runs longer.
 */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { createCheck, randomCase } from '../../convergence/property.ts';
import { openConvergence } from '../../convergence/servers.ts';
import { graphAddress } from '../../support/connect-graph.ts';
import { servers } from '../../support/servers.ts';

/** Set by the project in vitest.config.ts. */
const histories = Number(process.env.OUTGRAPH_HISTORIES);

/** Concurrent universes: while one waits to reconnect, the others continue. */
const universes = [1, 2, 3, 4];

describe.concurrent('the graph converges to the model for any order, duplication, batching and interruption', () => {
  it.for(universes)('in universe %i', { timeout: 1_800_000 }, async (number, { onTestFinished }) => {
    const convergence = await openConvergence(graphAddress(servers), 'neo4j');
    onTestFinished(convergence.close);
    const check = createCheck(convergence.servers, convergence.universe);
    await fc.assert(fc.asyncProperty(randomCase(convergence.universe, 24), check), {
      numRuns: Math.ceil(histories / universes.length),
      // A failure also depends on timing, so a shrunk history may pass by chance.
      endOnFailure: true,
      ...(process.env.OUTGRAPH_SEED === undefined ? {} : { seed: Number(process.env.OUTGRAPH_SEED) + number }),
    });
  });
});
