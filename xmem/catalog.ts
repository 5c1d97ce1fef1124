/**
 * The aggregate types of XMem: its two graphs, and `graph` for subgraphs that a writer projects
 * itself.
 */
import { createCatalog, graph } from '../exports/outgraph.ts';
import { codeAnnotation } from './aggregates/code-annotation.ts';
import { codeFile } from './aggregates/code-file.ts';
import { codeRepository } from './aggregates/code-repository.ts';
import { memoryEvent } from './aggregates/memory-event.ts';
import { memoryUser } from './aggregates/memory-user.ts';

/** Used by the functions in `functions/` and by `outgraph --catalog`. */
export const catalog = createCatalog([graph, memoryUser, memoryEvent, codeRepository, codeFile, codeAnnotation]);
