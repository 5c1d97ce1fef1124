/** Every aggregate type of the bookshop: what its consumer and its set-up know. */
import { createCatalog } from 'outgraph';
import { customer } from './customer.ts';
import { order } from './order.ts';

export const catalog = createCatalog([customer, order]);
