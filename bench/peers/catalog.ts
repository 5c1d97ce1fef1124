/** The catalog of outgraph's worker beside its peers. */
import { createCatalog } from '../../lib/projection/catalog.ts';
import { symbolAggregate } from './symbols.ts';

export const catalog = createCatalog([symbolAggregate]);
