/** `outgraph forget`: erases an aggregate whose document was deleted. */
import { Command } from 'commander';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, keysIn, withGraph, withOutbox } from '../databases.ts';
import { countText } from '../dead/selection-options.ts';
import { findDocument } from '../documents/mongodb-find-document.ts';
import { exitCodesText } from '../exit-codes.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import {
  type Answer,
  count,
  Refusal,
  readDatabaseSettings,
  runCommand,
  type Terminal,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { type ForgetPlan, forget, planForget } from './forget.ts';

interface ForgetOptions extends CatalogOption {
  readonly waitSeconds: number;
  readonly yes?: true;
  readonly json?: true;
}

const help = `
Example:
  outgraph forget customer 66a0c0ffee0123456789abcd

Delete the document first: it refuses while there is one. It deletes the
aggregate from the graph by an event, waits until your consumer has applied it,
and then removes the aggregate's events with their payloads from the outbox,
dead and discarded ones too. The tombstone and the deletion stay, with the type
and the id alone, so that nothing brings the aggregate back.

It needs the MongoDB role "erasure" (docs/explanation/security.md). Backups and
logs are yours to erase. After a failure, run it again.`;

/** The command. */
export function forgetCommand(shell: Shell): Command {
  const command = new Command('forget')
    .argument('<aggregateType>', 'an aggregate type of the catalog')
    .argument('<aggregateId>', 'its id, as its events have it')
    .option('--wait-seconds <seconds>', 'how long to wait for the consumer', count, 60)
    .option('--yes', 'do not ask')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText()}`);
  return addCatalogOption(command).action(async (type: string, aggregateId: string, options: ForgetOptions) => {
    for (const definition of await readTypesOrExit(shell, [type], options, command))
      await runForget(shell, definition, aggregateId, options);
  });
}

async function runForget(
  shell: Shell,
  definition: AggregateDefinition,
  aggregateId: string,
  options: ForgetOptions,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const databases = { db, driver, database: settings.NEO4J_DATABASE, keys: keysIn(settings) };
        const aggregate = { aggregateType: definition.type, aggregateId };
        const name = `${definition.type}:${aggregateId}`;
        if (!(await requireNoDocument(databases, definition, aggregateId, terminal))) return interrupted;
        const plan = await planForget(databases, aggregate);
        await terminal.confirm(planText(name, plan));
        const { signal } = terminal;
        const report = await forget(databases, aggregate, { waitSeconds: options.waitSeconds, signal });
        if (report.outcome === 'interrupted') return interrupted;
        if (report.outcome === 'unapplied')
          throw new Refusal(
            `The deletion of ${name} is recorded, but was not applied within ${options.waitSeconds} seconds: no ` +
              'event is removed. Is the consumer running? Run it again when "outgraph status" shows no pending event.',
            report,
          );
        const { events, discarded } = report;
        return {
          outcome: 'done',
          text: `${name} is forgotten: ${removedText({ events, discarded })} removed.`,
          facts: { events, discarded },
        };
      }),
    ),
  );
}

const interrupted: Answer = { outcome: 'interrupted', text: 'Interrupted; run it again to continue.', facts: {} };

/** False if it was interrupted. @throws Refusal if there is a document. */
async function requireNoDocument(
  { db }: Databases,
  definition: AggregateDefinition,
  aggregateId: string,
  { signal, showProgress }: Terminal,
): Promise<boolean> {
  const progress = showProgress(null, 'documents examined');
  const { outcome } = await findDocument(db, definition, aggregateId, { walk: true, signal, progress });
  if (outcome === 'found')
    throw new Refusal(
      `${definition.collection} still has the document of ${definition.type}:${aggregateId}. Delete it first, as ` +
        'your writers delete documents. Nothing was changed.',
    );
  return outcome !== 'interrupted';
}

function planText(name: string, { isInGraph, ...removed }: ForgetPlan): string {
  const first = isInGraph ? `Deletes ${name} from the graph, and then removes` : `The graph has no ${name}. Removes`;
  return `${first} ${removedText(removed)}, with their payloads, permanently.`;
}

function removedText({ events, discarded }: { readonly events: number; readonly discarded: number }): string {
  return `${countText(events, 'event')} and ${countText(discarded, 'discarded event')}`;
}
