/** Starts `outgraph verify`, with `--repair` and without. */
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, withGraph, withOutbox } from '../databases.ts';
import { refuseUnknownTypes } from '../terminal/read-catalog.ts';
import { type Answer, readDatabaseSettings, runCommand, type Terminal } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { VerifyScope } from './command.ts';

/**
 * Opens both databases and runs `work`.
 *
 * @throws Refusal if no types were named and the databases hold types that are missing from the
 * catalog.
 */
export async function runCompared(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScope,
  work: (scope: Databases, terminal: Terminal) => Promise<Answer>,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver) => {
        const scope = { db, driver, database: settings.NEO4J_DATABASE };
        if (options.isWholeCatalog) await refuseUnknownTypes(scope, definitions);
        return work(scope, terminal);
      }),
    ),
  );
}
