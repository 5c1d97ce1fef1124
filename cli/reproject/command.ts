/** `outgraph reproject`: the documents of aggregate types are recorded anew. */

import { Command } from 'commander';
import type { Db } from 'mongodb';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { withOutbox } from '../databases.ts';
import { idText } from '../documents/mongodb-documents.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  count,
  positive,
  Refusal,
  readDatabaseSettings,
  runCommand,
  type Terminal,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import {
  dropReprojection,
  planReprojection,
  type ReprojectPlan,
  type ReprojectResult,
  reprojectType,
} from './wiring.ts';

interface ReprojectOptions extends ChangeOptions, CatalogOption {
  readonly forgetMissing?: true;
  readonly maxForgotten: number;
  readonly transactionSeconds: number;
  readonly maxPending: number;
  readonly restart?: true;
}

const help = `
What it does: records an event with its current state for every document of the type's collection, as if somebody had written each of them now. The consumer brings them to the graph by the projection that
is deployed. Writers may go on: an update at the same moment always wins.

A document is written to in the transaction that records its event (a field _outgraphTouch is added and removed), because only a write keeps others out until its event has its place. Nobody sees that
but a change stream on the collection: two updates for each document. The user needs the role of the part "reprojection" (docs/security.md).

Killed or interrupted, it goes on where it was when it is run again; --restart begins anew. So does --forget-missing: the graph may have been restored since. Where more than --max-pending events wait, it waits for the consumer.

--forget-missing: then, aggregates of the type that stand in the graph and have no document are deleted there, and those that the graph does not know are kept from coming back. For a graph that was restored from
a backup or is new, and for documents that were restored. Not for a type whose events are recorded for something else than documents of its collection: all of it would be deleted.

Examples:
  outgraph reproject memory-event                          after its projection has changed
  outgraph reproject memory-user memory-event              for a new, empty graph
  outgraph reproject order --catalog catalog.ts            a type of your own
  outgraph reproject memory-event --forget-missing         for a graph from an old backup`;

/** The command. */
export function reprojectCommand(shell: Shell): Command {
  const command = new Command('reproject')
    .description('Records the current state of every document of aggregate types, so that the graph gets them anew.')
    .argument('<aggregateType...>', 'aggregate types of the catalog')
    .option('--forget-missing', 'also delete from the graph what has no document')
    .option('--max-forgotten <count>', 'delete nothing if more than these have no document', count, 1_000)
    .option('--transaction-seconds <seconds>', 'a writer takes no longer for a transaction', count, 120)
    .option('--max-pending <count>', 'wait while more events than these are pending', positive, 5_000)
    .option('--restart', 'begin anew, whatever an earlier run has done')
    .addHelpText('after', help);
  addCatalogOption(command);
  return addChangeOptions(command, { default: 500, what: 'documents' }).action(
    async (types: readonly string[], options: ReprojectOptions) =>
      runReproject(shell, await readTypesOrExit(shell, types, options, command), options),
  );
}

async function runReproject(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: ReprojectOptions,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  const forget =
    options.forgetMissing === true
      ? { graph: settings, transactionSeconds: options.transactionSeconds, maxForgotten: options.maxForgotten }
      : null;
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, async (db): Promise<Answer> => {
      const plans = await planAll(db, definitions, options.restart === true || options.forgetMissing === true);
      await terminal.confirm(planText(plans, options));
      // Of all types before the first one begins: a later run would go on from the notes of those that this one did not come to.
      if (options.restart)
        for (const { type } of definitions) await dropReprojection(db, { command: 'reproject', aggregateType: type });
      const results: Record<string, ReprojectResult> = {};
      for (const [definition, plan] of plans) {
        const { type } = definition;
        const result = await reprojectType(
          db,
          definition,
          { command: 'reproject', maxPending: options.maxPending, forget },
          {
            ratePerSecond: options.rate,
            signal: terminal.signal,
            progress: terminal.showProgress(plan.documents, `documents of ${type}`),
          },
          logTo(terminal),
        );
        results[type] = result;
        const reason = whyUnsafe(type, result, forget !== null);
        if (reason !== null) throw new Refusal(reason, { results });
        if (result.outcome === 'interrupted' || result.forgotten?.outcome === 'interrupted')
          return {
            outcome: 'interrupted',
            text: `${resultsText(results)}\n${goOnText(definitions, type, options)}`,
            facts: { results },
          };
      }
      return { outcome: 'done', text: resultsText(results), facts: { results } };
    }),
  );
}

/** How to go on: types that are done would be done again, and with --restart all of them. */
export function goOnText(
  definitions: readonly AggregateDefinition[],
  interrupted: string,
  { restart, forgetMissing }: { readonly restart?: true; readonly forgetMissing?: true },
): string {
  const types = definitions.map(({ type }) => type);
  const remaining = types.slice(types.indexOf(interrupted)).join(' ');
  if (forgetMissing) return `Interrupted; run it again with ${remaining}: ${interrupted} begins anew.`;
  const without = restart ? ', without --restart,' : '';
  return `Interrupted; run it again with ${remaining}${without} to go on.`;
}

async function planAll(db: Db, definitions: readonly AggregateDefinition[], restart: boolean): Promise<Plans> {
  const plans = new Map<AggregateDefinition, ReprojectPlan>();
  for (const definition of definitions) {
    const plan = await planReprojection(db, definition, 'reproject');
    plans.set(definition, restart ? { ...plan, recordedBefore: null } : plan);
  }
  return plans;
}

type Plans = ReadonlyMap<AggregateDefinition, ReprojectPlan>;

function planText(plans: Plans, { rate, forgetMissing }: ReprojectOptions): string {
  const lines = [...plans].map(([{ type }, { documents, recordedBefore }]) => {
    const before = recordedBefore === null ? '' : `, and goes on after the ${recordedBefore} of an earlier run`;
    return `Records the current state of about ${documents} documents of ${type}, ${rate} a second at most${before}.`;
  });
  if (forgetMissing) lines.push('Then deletes from the graph what has no document.');
  return lines.join('\n');
}

/** What is told on the way. */
export function logTo({ say }: Terminal) {
  let saidWaiting = false;
  return {
    waiting: (pending: number) => {
      if (!saidWaiting) say(`Waits: ${pending} events or more are pending. Is the consumer running?`);
      saidWaiting = true;
    },
    unrecordable: (id: unknown, reason: string) =>
      say(`No event can be made of the document with _id ${idText(id)}: ${reason}`),
  };
}

/** Null where it is safe to go on. */
function whyUnsafe(
  type: string,
  { unrecordable, forgotten, outcome }: ReprojectResult,
  forgets: boolean,
): string | null {
  if (forgotten?.outcome === 'too-many')
    return `${forgotten.missing} aggregates of ${type} have no document, more than --max-forgotten: none was deleted. If that is right, run it again with a larger number.`;
  if (forgotten?.outcome === 'graph-changed')
    return `The graph was replaced while the documents of ${type} were recorded, so aggregates that it lost would look deleted. ${forgotten.forgotten === 0 ? 'Nothing was' : `${forgotten.forgotten} aggregates were`} deleted. Run it again.`;
  if (forgets && outcome === 'done' && unrecordable > 0)
    return `No event can be made of ${unrecordable} documents of ${type}: nothing was deleted from the graph.`;
  return null;
}

function resultsText(results: Readonly<Record<string, ReprojectResult>>): string {
  const lines = Object.entries(results).map(([type, { recorded, unprojectable, unrecordable, forgotten }]) => {
    const parts = [`${type}: ${recorded} documents recorded`];
    if (unprojectable > 0) parts.push(`${unprojectable} of them cannot be projected and will be dead`);
    if (unrecordable > 0) parts.push(`${unrecordable} could not be recorded`);
    if (forgotten !== null && forgotten.outcome !== 'too-many') parts.push(`${forgotten.forgotten} deletions recorded`);
    return `${parts.join('; ')}.`;
  });
  return lines.join('\n');
}
