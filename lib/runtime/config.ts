/** What `outgraph.config.ts` holds: the catalog and settings of the worker and the commands. */
import type { AggregateCatalog } from '../projection/catalog.ts';
import type { settings } from './settings.ts';

type SettingName = Exclude<keyof typeof settings.shape, 'OUTGRAPH_CATALOG'>;

/**
 * The content of a config file. The worker and every command read it.
 *
 * @example
 * const config: OutgraphConfig = { catalog, settings: { MONGODB_DATABASE: 'shop' } };
 */
export interface OutgraphConfig {
  /** The aggregate types, made by `createCatalog`. `--catalog` and `OUTGRAPH_CATALOG` win. */
  readonly catalog?: AggregateCatalog;
  /**
   * Settings under the names of their environment variables. The environment and `.env` win. Keep
   * secrets out of the file: use a reference to SSM or Secrets Manager, or the environment.
   */
  readonly settings?: { readonly [Name in SettingName]?: string | number | boolean | undefined };
}

/**
 * Types the default export of `outgraph.config.ts` (or `.mts`, `.js`, `.mjs`), in the folder where
 * you run the commands.
 *
 * @example
 * export default defineConfig({
 *   catalog,
 *   settings: { MONGODB_DATABASE: 'shop', NEO4J_URI: 'neo4j+s://graph.example', WORKER_CONSUMERS: 4 },
 * });
 */
export function defineConfig(config: OutgraphConfig): OutgraphConfig {
  return config;
}
