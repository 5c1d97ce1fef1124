/** The aggregate types of this project's own functions: the consumer projects by this list, and the set-up makes its constraints. A service of your own has a list of its own. */
import { codeAnnotation } from './code-annotation.ts';
import { codeFile } from './code-file.ts';
import { codeRepository } from './code-repository.ts';
import { type AggregateCatalog, createCatalog } from './create-catalog.ts';
import { graph } from './graph.ts';
import { memoryEvent } from './memory-event.ts';
import { memoryUser } from './memory-user.ts';

/** The aggregate types of the functions in `functions/`. */
export const aggregates: AggregateCatalog = createCatalog([
  graph,
  memoryUser,
  memoryEvent,
  codeRepository,
  codeFile,
  codeAnnotation,
]);
