/** The aggregate types of this project's own functions: the consumer projects by this list, and the set-up makes its constraints. A service of your own has a list of its own. */

import { type AggregateCatalog, createCatalog } from '../lib/projection/catalog.ts';
import { graph } from '../lib/projection/graph.ts';
import { codeAnnotation } from '../xmem/aggregates/code-annotation.ts';
import { codeFile } from '../xmem/aggregates/code-file.ts';
import { codeRepository } from '../xmem/aggregates/code-repository.ts';
import { memoryEvent } from '../xmem/aggregates/memory-event.ts';
import { memoryUser } from '../xmem/aggregates/memory-user.ts';

/** The aggregate types of the functions in `functions/`. */
export const aggregates: AggregateCatalog = createCatalog([
  graph,
  memoryUser,
  memoryEvent,
  codeRepository,
  codeFile,
  codeAnnotation,
]);
