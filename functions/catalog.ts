/** The aggregate types of this project's own functions. A service of your own has a list of its own. */
import { createCatalog } from '../lib/projection/catalog.ts';
import { graph } from '../lib/projection/graph.ts';

/** The consumer projects by this list, and the set-up makes its constraints. */
export const catalog = createCatalog([graph]);
