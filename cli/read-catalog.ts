/** The aggregate types that a command works with: the built-in ones, or those of a service of its own. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { aggregates } from '../lib/aggregates/catalog.ts';
import type { AggregateCatalog } from '../lib/aggregates/create-catalog.ts';
import type { AggregateDefinition } from '../lib/aggregates/define-aggregate.ts';
import { reprojectable } from '../lib/wiring/reproject.ts';
import { wrongUse } from './read-settings.ts';

/** The option of a command that reads the catalog. */
export interface CatalogOption {
  readonly catalog?: string;
}

/** Adds `--catalog`. */
export function addCatalogOption(command: Command): Command {
  return command.option(
    '--catalog <file>',
    'a module whose export "catalog" has the aggregate types, made by createCatalog; without it, the built-in ones',
  );
}

/** Reads it; where it is none, says so and ends the process. */
export async function readCatalogOrExit({ catalog: file }: CatalogOption): Promise<AggregateCatalog> {
  if (file === undefined) return aggregates;
  try {
    const { catalog } = (await import(pathToFileURL(path.resolve(file)).href)) as { readonly catalog?: unknown };
    if (catalog instanceof Map) return catalog;
    process.stderr.write(`${file} has no export "catalog" that createCatalog has made.\n`);
  } catch (error) {
    process.stderr.write(`${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exit(wrongUse);
}

/** The names of types, for a person. */
export function typesOf(definitions: readonly AggregateDefinition[]): string {
  return definitions.map(({ type }) => type).join(', ');
}

/** What a command says of the types that it takes. */
export const knownTypes = `of: ${typesOf(reprojectable(aggregates))}; or of --catalog`;

/** The definitions of the named types that have documents, each once; where one is not there, says so and ends the process. */
export async function readTypesOrExit(
  types: readonly string[],
  options: CatalogOption,
  command: Command,
): Promise<readonly AggregateDefinition[]> {
  const known = reprojectable(await readCatalogOrExit(options));
  if (types.length === 0) return known;
  return [...new Set(types)].map(
    (type) =>
      known.find((one) => one.type === type) ??
      command.error(`error: no aggregate type "${type}" with documents; there are ${typesOf(known)}`),
  );
}
