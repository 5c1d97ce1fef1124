/** Starts `outgraph verify`, with `--repair` and without. */
import type { Db } from 'mongodb';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, keysIn, withGraph, withOutbox } from '../databases.ts';
import { type Selected, select } from '../documents/mongodb-select.ts';
import type { Scope } from '../documents/scope-options.ts';
import { refuseUnknownTypes } from '../terminal/read-catalog.ts';
import { type Answer, readDatabaseSettings, runCommand, type Terminal } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { VerifyScope } from './command.ts';
import type { Selection } from './wiring.ts';

/**
 * Opens both databases, selects the documents of the scope, and runs `work`.
 *
 * @throws Refusal if no types were named and the databases hold types that are missing from the
 * catalog, or if the scope cannot be determined.
 */
export async function runCompared(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScope,
  work: (databases: Databases, selection: Selection | null, terminal: Terminal) => Promise<Answer>,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver) => {
        const databases = { db, driver, database: settings.NEO4J_DATABASE, keys: keysIn(settings) };
        if (options.isWholeCatalog) await refuseUnknownTypes(databases, definitions);
        return work(databases, await selectAll(db, definitions, options.scope), terminal);
      }),
    ),
  );
}

async function selectAll(
  db: Db,
  definitions: readonly AggregateDefinition[],
  scope: Scope | null,
): Promise<Selection | null> {
  if (scope === null) return null;
  const selection = new Map<string, Selected>();
  for (const definition of definitions) selection.set(definition.type, await select(db, definition, scope));
  return selection;
}
