/** The aggregate types that a command works with: those of the operator's own service, or `graph` alone. */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { type AggregateCatalog, createCatalog, typesWithDocuments } from '../../lib/projection/catalog.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { graph } from '../../lib/projection/graph.ts';
import type { Databases } from '../databases.ts';
import type { LoadedCatalog } from '../doctor/check-configuration.ts';

import { exitCodes } from '../exit-codes.ts';
import { Refusal } from './run-command.ts';
import { Exit, type Shell } from './shell.ts';
import { findUnknownTypes } from './unknown-types.ts';

/** The option of a command that reads the catalog. */
export interface CatalogOption {
  readonly catalog?: string;
}

/** Adds `--catalog`. */
export function addCatalogOption(command: Command): Command {
  return command.option(
    '--catalog <file>',
    'a module whose export "catalog" has the aggregate types, made by createCatalog; default: that of OUTGRAPH_CATALOG, or the type graph alone',
  );
}

/** Reads it. @throws Exit where it is none, once it has said so. */
export async function readCatalogOrExit(shell: Shell, options: CatalogOption): Promise<AggregateCatalog> {
  const { catalog, problem } = await loadCatalog(shell, options);
  if (catalog !== null) return catalog;
  shell.stderr.write(`${problem}\n`);
  throw new Exit(exitCodes.wrongUse);
}

/** Reads it, or says why it is none. */
export async function loadCatalog(
  { environment }: Pick<Shell, 'environment'>,
  { catalog: given }: CatalogOption,
): Promise<LoadedCatalog> {
  const file = given ?? environment.OUTGRAPH_CATALOG ?? '';
  if (file === '') return { catalog: createCatalog([graph]), problem: null };
  try {
    const { catalog } = (await import(pathToFileURL(path.resolve(file)).href)) as { readonly catalog?: unknown };
    if (catalog instanceof Map) return { catalog, problem: null };
    return { catalog: null, problem: `${file} has no export "catalog" that createCatalog has made.` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { catalog: null, problem: `${file} cannot be loaded: ${reason}` };
  }
}

/** The names of types, for a person. */
export function typesOf(definitions: readonly AggregateDefinition[]): string {
  return definitions.map(({ type }) => type).join(', ');
}

/**
 * Refuses to go on where the databases hold types that the catalog lacks: a comparison would pass them over and find
 * the graph equal. For a command that no types were named to.
 *
 * @throws Refusal that names them.
 */
export async function refuseUnknownTypes(scope: Databases, definitions: readonly AggregateDefinition[]): Promise<void> {
  const unknownTypes = await findUnknownTypes(scope, createCatalog(definitions));
  if (unknownTypes.length === 0) return;
  throw new Refusal(
    `The outbox or the graph holds aggregate types that the catalog lacks: ${unknownTypes.join(', ')}. Nothing was compared. Name the catalog that your consumer runs with, by --catalog FILE or OUTGRAPH_CATALOG; or name the types to compare: outgraph verify ${definitions[0]?.type ?? 'TYPE'} …`,
    { unknownTypes },
  );
}

/**
 * The definitions of the named types that have documents, each once.
 *
 * @throws Exit or CommanderError, where one is not there, once it has said so.
 */
export async function readTypesOrExit(
  shell: Shell,
  types: readonly string[],
  options: CatalogOption,
  command: Command,
): Promise<readonly AggregateDefinition[]> {
  const known = typesWithDocuments(await readCatalogOrExit(shell, options));
  if (types.length === 0) return known;
  return [...new Set(types)].map(
    (type) =>
      known.find((one) => one.type === type) ??
      command.error(`error: no aggregate type "${type}" with documents; there are ${typesOf(known)}`),
  );
}
