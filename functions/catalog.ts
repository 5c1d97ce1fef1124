/** The aggregate types of this project's functions. Your service has its own catalog. */
import { createCatalog } from '../lib/projection/catalog.ts';
import { graph } from '../lib/projection/graph.ts';

/** The consumer projects with this catalog, and the set-up creates its constraints. */
export const catalog = createCatalog([graph]);
