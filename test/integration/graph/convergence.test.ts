/** The property, on as many random histories as a test run has time for; `npm run soak` goes on for longer. */
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { createCheck, randomCase } from '../../convergence/property.ts';
import { openConvergence } from '../../convergence/servers.ts';
import { graphAddress } from '../../support/connect-graph.ts';
import { servers } from '../../support/servers.ts';

/** Set by the project in vitest.config.ts. */
const histories = Number(process.env.OUTGRAPH_HISTORIES);

/** Universes side by side: while one waits for a connection to come back, the others go on. */
const universes = [1, 2, 3, 4];

describe.concurrent('the graph converges to the model under any order, duplication, batching, concurrency and interruption, among foreign data', () => {
  it.for(universes)('in universe %i', { timeout: 1_800_000 }, async (number, { onTestFinished }) => {
    const convergence = await openConvergence(graphAddress(servers), 'neo4j');
    onTestFinished(convergence.close);
    const check = createCheck(convergence.servers, convergence.universe);
    await fc.assert(fc.asyncProperty(randomCase(convergence.universe, 24), check), {
      numRuns: Math.ceil(histories / universes.length),
      // A failure depends on timing as well: what is smaller may pass by chance.
      endOnFailure: true,
      ...(process.env.OUTGRAPH_SEED === undefined ? {} : { seed: Number(process.env.OUTGRAPH_SEED) + number }),
    });
  });
});
