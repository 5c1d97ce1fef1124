import { createSetUpHandler } from '../../exports/handlers.ts';
import { catalog } from '../catalog.ts';

export const handler = createSetUpHandler(catalog);
