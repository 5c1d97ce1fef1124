/** `outgraph/xmem`: the aggregate types of XMem's temporal memory and code graph. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are
// stable, while the files behind them may move.
export { codeAnnotation } from './aggregates/code-annotation.ts';
export { codeFile } from './aggregates/code-file.ts';
export { codeRepository } from './aggregates/code-repository.ts';
export { memoryEvent } from './aggregates/memory-event.ts';
export { memoryUser } from './aggregates/memory-user.ts';
