/** What the worker and every command read besides `.env`. */
import { defineConfig } from 'outgraph';
import { catalog } from './catalog.js';

export default defineConfig({ catalog });
