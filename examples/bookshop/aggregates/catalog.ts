/** Every aggregate type of the bookshop, for its consumer and its set-up. */
import { createCatalog } from 'outgraph';
import { customer } from './customer.ts';
import { order } from './order.ts';

export const catalog = createCatalog([customer, order]);
