/** `outgraph/xmem`: the aggregate types of XMem's temporal memory and code graph. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the files behind them may move.
export { codeAnnotation } from '../lib/aggregates/code-annotation.ts';
export { codeFile } from '../lib/aggregates/code-file.ts';
export { codeRepository } from '../lib/aggregates/code-repository.ts';
export { memoryEvent } from '../lib/aggregates/memory-event.ts';
export { memoryUser } from '../lib/aggregates/memory-user.ts';
