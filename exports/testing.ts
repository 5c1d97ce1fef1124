/**
 * `outgraph/testing`: tests projections without a server, and runs a worker on the servers of a
 * test. It needs no test framework.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export type { Subgraph } from '../lib/contract/subgraph.ts';
export { diffSubgraph, expectSubgraph } from '../lib/testing/diff-subgraph.ts';
export type { GraphPicture } from '../lib/testing/expected-graph.ts';
export { graphOfDocuments, projectDocument } from '../lib/testing/project-document.ts';
export { type RunningOutgraph, startOutgraph, type TestOptions } from '../lib/testing/wiring.ts';
