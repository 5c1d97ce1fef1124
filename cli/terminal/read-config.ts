/** Reads `outgraph.config.ts`, and reports everything that is wrong in it at once. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AggregateCatalog } from '../../lib/projection/catalog.ts';
import { type Environment, settings } from '../../lib/runtime/settings.ts';
import { unknownSettings } from '../../lib/runtime/unknown-settings.ts';

/** A checked config file. */
export interface Config {
  /** As it was named, or found. */
  readonly file: string;
  readonly catalog: AggregateCatalog | null;
  /** Its settings as they would be in the environment. */
  readonly environment: Environment;
}

const fileNames = ['ts', 'mts', 'js', 'mjs'].map((extension) => `outgraph.config.${extension}`);

/**
 * Reads the config file: the named one, or the one in `directory`. Null if there is none.
 *
 * @throws Error that names the file, each wrong key and what to do, but no value.
 */
export async function readConfig(directory: string, named: string | undefined): Promise<Config | null> {
  const file = named ?? findFile(directory);
  return file === null ? null : check(file, await load(path.resolve(directory, file), file));
}

function findFile(directory: string): string | null {
  const found = fileNames.filter((name) => existsSync(path.join(directory, name)));
  if (found.length > 1)
    throw new Error(`There are several config files: ${found.join(', ')}. Remove all but one, or pass --config FILE.`);
  return found[0] ?? null;
}

async function load(absolute: string, file: string): Promise<unknown> {
  if (!existsSync(absolute)) throw new Error(`There is no config file ${file}. Correct --config.`);
  try {
    return ((await import(pathToFileURL(absolute).href)) as { readonly default?: unknown }).default;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new Error(`${file}: Node ${process.versions.node} reads no TypeScript. Use Node 22.18 or newer, or .mjs.`);
    // Further lines may quote the file.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`${file} cannot be loaded: ${reason}`);
  }
}

function check(file: string, content: unknown): Config {
  if (!isRecord(content))
    throw new Error(`${file}: it needs a default export. Write "export default defineConfig({ … })".`);
  const { catalog, settings: given = {}, ...others } = content;
  const problems = Object.keys(others).map((key) => `"${key}" is not a key. Use "catalog" and "settings".`);
  if (catalog !== undefined && !(catalog instanceof Map)) problems.push('catalog: it must be made by createCatalog.');
  if (!isRecord(given)) problems.push('settings: it must be an object, such as { MONGODB_DATABASE: "shop" }.');
  const values = Object.entries(isRecord(given) ? given : {}).filter(([, value]) => value !== undefined);
  problems.push(...values.flatMap(([name, value]) => problemOf(name, value) ?? []));
  if (problems.length > 0) throw new Error(problems.map((problem) => `${file}: ${problem}`).join('\n'));
  return {
    file,
    catalog: catalog instanceof Map ? catalog : null,
    environment: Object.fromEntries(values.map(([name, value]) => [name, String(value)])),
  };
}

/** What is wrong with a setting, and what to do; never its value. */
function problemOf(name: string, value: unknown): string | null {
  if (name === 'OUTGRAPH_CATALOG') return 'settings.OUTGRAPH_CATALOG: give the catalog itself, as "catalog".';
  if (!Object.hasOwn(settings.shape, name)) {
    const meant = unknownSettings({ [name]: '' }).find((one) => one.meant !== null)?.meant;
    const advice =
      meant === undefined ? `The settings are: ${Object.keys(settings.shape).join(', ')}.` : `Did you mean ${meant}?`;
    return `settings.${name}: there is no such setting. ${advice}`;
  }
  if (!['string', 'number', 'boolean'].includes(typeof value))
    return `settings.${name}: it must be text, a number or a boolean.`;
  const { error } = settings.shape[name as keyof typeof settings.shape].safeParse(String(value));
  return error === undefined ? null : `settings.${name}: ${error.issues.map(({ message }) => message).join('; ')}.`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
