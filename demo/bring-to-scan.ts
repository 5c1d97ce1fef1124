/**
 * Runs one scan from end to end: updates the documents to the scan, and waits for the graph. The
 * graph must then equal one built from scratch from this scan alone. It is built in two ways: by
 * the documents' projections, and directly from the scan.
 */

import { expectedGraph } from '../lib/testing/expected-graph.ts';
import { readDocumentStates } from '../test/support/model/document-states.ts';
import { readGraph } from '../test/support/model/read-graph.ts';
import { countBareSymbols } from '../test/support/xmem/bare-symbols.ts';
import { codeFile } from '../xmem/aggregates/code-file.ts';
import { codeLabels } from '../xmem/aggregates/code-graph.ts';
import { codeRepository } from '../xmem/aggregates/code-repository.ts';
import { type Comparison, comparePictures } from './compare-graph.ts';
import { type CodeRepository, pictureOf, scanGraph } from './input/code/scan-graph.ts';
import type { Scan } from './input/code/scan-types.ts';
import { type WrittenScan, writeScan } from './input/code/write-scan.ts';
import type { JobContext } from './job.ts';
import { readOutboxFigures } from './outbox-figures.ts';
import { untilDrained } from './until-drained.ts';

/** The parts of the context that a scan needs. */
export type ScanContext = Pick<JobContext, 'client' | 'db' | 'outbox' | 'driver' | 'neo4jDatabase' | 'signal'>;

/** The result of one scan. */
export interface BroughtToScan extends WrittenScan, Comparison {
  readonly events: number;
  readonly dead: number;
  readonly pending: number;
  /** From the first write until everything was in the graph. */
  readonly seconds: number;
  /** Symbols that are called or inherited from, but that no file defines. */
  readonly bareSymbols: number;
}

/**
 * Writes the scan, waits until the outbox is drained, and compares the repository's graph with the
 * graphs that the documents and the scan define.
 */
export async function bringToScan(
  context: ScanContext,
  repository: CodeRepository,
  scan: Pick<Scan, 'files'>,
): Promise<BroughtToScan> {
  const { client, db, outbox, driver, neo4jDatabase, signal } = context;
  const since = new Date();
  const startedAt = performance.now();
  const { counts, aggregateIds } = await writeScan(client, db, repository, scan);
  const filter = { createdAt: { $gte: since }, aggregateId: { $in: aggregateIds } };
  await untilDrained({ outbox, filter, signal });
  const seconds = (performance.now() - startedAt) / 1000;

  const { org_id, repo } = repository;
  const found = await readGraph(driver, neo4jDatabase, codeLabels, { properties: ['org_id'], values: [org_id] });
  const states = [
    ...(await readDocumentStates(db, codeRepository, { org_id, repo_name: repo })),
    ...(await readDocumentStates(db, codeFile, { org_id, repo })),
  ];
  const withDocuments = comparePictures(expectedGraph(states), found);
  const withScan = comparePictures(pictureOf(scanGraph(repository, scan)), found);
  const { events, dead, pending } = await readOutboxFigures(outbox, filter);
  return {
    ...counts,
    events,
    dead,
    pending,
    seconds,
    bareSymbols: await countBareSymbols(driver, neo4jDatabase, org_id),
    nodes: withScan.nodes,
    relationships: withScan.relationships,
    differences: [
      ...withDocuments.differences.map((difference) => `documents: ${difference}`),
      ...withScan.differences.map((difference) => `scan: ${difference}`),
    ],
  };
}
