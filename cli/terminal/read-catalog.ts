/**
 * Reads the aggregate types that a command works with: those of the operator's service, or `graph`
 * alone.
 */

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { listAggregateTypes } from '../../lib/graph/neo4j-list-aggregates.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { listUnsettledTypes } from '../../lib/outbox/mongodb-unsettled.ts';
import { type AggregateCatalog, createCatalog, typesWithDocuments } from '../../lib/projection/catalog.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { graph } from '../../lib/projection/graph.ts';
import type { Databases } from '../databases.ts';
import { exitCodes } from '../exit-codes.ts';
import { Refusal } from './run-command.ts';
import { Exit, type Shell } from './shell.ts';

/** `problem` is why the catalog cannot be loaded. */
export type LoadedCatalog =
  | { readonly catalog: AggregateCatalog; readonly problem: null }
  | { readonly catalog: null; readonly problem: string };

/** The option of a command that reads the catalog. */
export interface CatalogOption {
  readonly catalog?: string;
}

/** Adds `--catalog`. */
export function addCatalogOption(command: Command): Command {
  return command.option(
    '--catalog <file>',
    'a module that exports "catalog", made by createCatalog; default: OUTGRAPH_CATALOG, ' +
      'the config file, or the type "graph" alone',
  );
}

/** Reads the catalog. @throws Exit with wrong use, after printing why it cannot be loaded. */
export async function readCatalogOrExit(shell: Shell, options: CatalogOption): Promise<AggregateCatalog> {
  const { catalog, problem } = await loadCatalog(shell, options);
  if (catalog !== null) return catalog;
  shell.stderr.write(`${problem}\n`);
  throw new Exit(exitCodes.wrongUse);
}

/** Reads the catalog, or returns why it cannot be loaded. */
export async function loadCatalog(
  { environment, files }: Pick<Shell, 'environment' | 'files'>,
  { catalog: given }: CatalogOption,
): Promise<LoadedCatalog> {
  const file = given ?? environment.OUTGRAPH_CATALOG ?? '';
  if (file === '') return { catalog: files.catalog ?? createCatalog([graph]), problem: null };
  try {
    const { catalog } = (await import(pathToFileURL(path.resolve(file)).href)) as { readonly catalog?: unknown };
    if (catalog instanceof Map) return { catalog, problem: null };
    return { catalog: null, problem: `${file} has no export "catalog" made by createCatalog.` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { catalog: null, problem: `${file} cannot be loaded: ${reason}` };
  }
}

/** The names of the types, as text. */
export function typesOf(definitions: readonly AggregateDefinition[]): string {
  return definitions.map(({ type }) => type).join(', ');
}

/**
 * Refuses if the databases hold types that are missing from the catalog: a comparison would skip
 * them and find the graph equal. For a command without named types.
 *
 * @throws Refusal that names the types.
 */
export async function refuseUnknownTypes(scope: Databases, definitions: readonly AggregateDefinition[]): Promise<void> {
  const unknownTypes = await findUnknownTypes(scope, createCatalog(definitions));
  if (unknownTypes.length === 0) return;
  throw new Refusal(
    `The outbox or the graph holds aggregate types that the catalog lacks: ${unknownTypes.join(', ')}. ` +
      'Nothing was compared. Pass the catalog of your consumer with --catalog FILE, OUTGRAPH_CATALOG ' +
      `or the config file; or name the types to compare: outgraph verify ${definitions[0]?.type ?? 'TYPE'} …`,
    { unknownTypes },
  );
}

/**
 * The types of live aggregates in the graph, and of pending or dead events, that are missing from
 * the catalog. Sorted by name. The graph has the aggregate of every processed event.
 *
 * @throws Fault `mongodb-unavailable` or `neo4j-unavailable`.
 */
async function findUnknownTypes(
  { db, driver, database, keys }: Databases,
  catalog: AggregateCatalog,
): Promise<readonly string[]> {
  const inOutbox = await listUnsettledTypes(outboxOf(db));
  const inGraph = await listAggregateTypes(driver, database, keys);
  return [...new Set([...inOutbox, ...inGraph])].filter((type) => !catalog.has(type)).sort();
}

/**
 * The definitions of the named types with documents, each once. Without names, all of them.
 *
 * @throws Exit or CommanderError for an unknown type, after printing it.
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
      command.error(`error: no aggregate type "${type}" with documents; choose from ${typesOf(known)}`),
  );
}
