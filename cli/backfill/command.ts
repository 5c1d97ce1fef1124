/**
 * `outgraph backfill`: writes the documents of aggregate types to the graph, again or for the first
 * time.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { Db } from 'mongodb';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { keysIn, type Running, withGraph, withOutbox } from '../databases.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';
import { select } from '../documents/mongodb-select.ts';
import { addScopeOptions, type Scope, type ScopeOptions, scopeOrExit } from '../documents/scope-options.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  count,
  positive,
  Refusal,
  readDatabaseSettings,
  readOutboxSettings,
  runCommand,
  type Terminal,
  wholePositive,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { continueText, logTo, planText, refusalText, resultsText } from './text.ts';
import {
  type BackfillPlan,
  type BackfillReport,
  backfillIntoGraph,
  backfillThroughOutbox,
  dropProgress,
  planBackfill,
} from './wiring.ts';

export interface BackfillOptions extends Omit<ChangeOptions, 'rate'>, CatalogOption, ScopeOptions {
  readonly direct?: true;
  readonly prune?: true;
  readonly rate?: number;
  readonly concurrency: number;
  readonly transactionSeconds: number;
  readonly maxDeleted: number;
  readonly maxPending: number;
  readonly restart?: true;
}

const defaultRate = { outbox: 500, direct: 10_000 } as const;

const help = `
Examples:
  outgraph backfill order                     after its projection changed
  outgraph backfill order --direct            a first load of millions
  outgraph backfill order customer --prune    into a graph from an old backup
  outgraph backfill order --catalog catalog.ts
  outgraph backfill order --id 66a0c0ffee0123456789abcd
  outgraph backfill order --filter '{"customer": 7}'
  outgraph backfill order --since 2026-11-25T03:00:00Z

Without --direct, it records an event with the current state of every document,
and your consumer applies it with the deployed projection. A concurrent write
always wins.

With --direct, this program projects the documents and writes them to the
graph itself, without events. Run it with the catalog of your consumer, once
all writers record events.

With --prune, it then deletes aggregates of the type that have no document from
the graph. Do not use it for a type whose events do not correspond to documents
of its collection.

With --id, --filter or --since, it records only the documents of these
aggregates, without walking the collection.

After an interruption, run it again to continue; with --prune or --restart it
starts at the first document. Details: docs/reference/cli.md`;

/** The command. */
export function backfillCommand(shell: Shell): Command {
  const command = new Command('backfill')
    .argument('<type...>', 'aggregate types of the catalog')
    .option('--direct', 'write straight to the graph, without events')
    .option('--prune', 'then delete aggregates without a document from the graph')
    .option('--max-deleted <count>', 'with --prune: delete nothing if there are more', count, 1_000)
    .option('--concurrency <count>', 'with --direct: chunks at a time', wholePositive, 3)
    .option('--transaction-seconds <seconds>', "the longest a writer's transaction takes", transactionSeconds, 120)
    .option('--max-pending <count>', 'wait while more events are pending', positive, 5_000)
    .option('--restart', 'start at the first document')
    .addHelpText('after', help);
  addCatalogOption(addScopeOptions(command));
  const { outbox, direct } = defaultRate;
  const rate = { default: `${outbox}; with --direct, ${direct}`, what: 'documents' };
  return addChangeOptions(command, rate).action(async (types: readonly string[], options: BackfillOptions) => {
    if (options.direct && options.prune)
      command.error(
        'error: --prune deletes aggregates without an event, and --direct records none: run it without --direct',
      );
    if (options.direct && options.transactionSeconds < shortestTransaction)
      command.error(
        `error: with --direct, --transaction-seconds must be at least ${shortestTransaction}, ` +
          "MongoDB's default limit of a transaction",
      );
    const scope = scopeOrExit(options, types, command);
    if (scope !== null && (options.direct || options.prune || options.restart))
      command.error('error: with --id, --filter and --since, leave out --direct, --prune and --restart');
    return runBackfill(shell, await readTypesOrExit(shell, types, options, command), {
      ...options,
      scope,
      rate: options.rate ?? (options.direct ? direct : outbox),
    });
  });
}

export type RatedOptions = BackfillOptions & { readonly rate: number; readonly scope: Scope | null };

/** Backfills one type, through the outbox or directly. */
type Backfill = (
  definition: AggregateDefinition,
  running: Running,
  selected: readonly DocumentId[] | null,
) => Promise<BackfillReport>;

async function runBackfill(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: RatedOptions,
): Promise<void> {
  const { direct, prune, maxPending, transactionSeconds, maxDeleted } = options;
  if (!direct && !prune) {
    const settings = await readOutboxSettings(shell);
    return runCommand(shell, options, (terminal) =>
      withOutbox(settings, (db) =>
        backfillAll(db, definitions, options, terminal, (definition, running, selected) =>
          backfillThroughOutbox(db, definition, { maxPending, prune: null, selected }, running, logTo(terminal)),
        ),
      ),
    );
  }
  const graph = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(graph, (db) =>
      backfillAll(db, definitions, options, terminal, (definition, running) => {
        if (prune) {
          const pruning = { graph, transactionSeconds, maxDeleted };
          return backfillThroughOutbox(
            db,
            definition,
            { maxPending, prune: pruning, selected: null },
            running,
            logTo(terminal),
          );
        }
        return withGraph(db, graph, (driver) =>
          backfillIntoGraph(
            { db, driver, database: graph.NEO4J_DATABASE, keys: keysIn(graph) },
            definition,
            options,
            running,
            logTo(terminal),
          ),
        );
      }),
    ),
  );
}

async function backfillAll(
  db: Db,
  definitions: readonly AggregateDefinition[],
  options: RatedOptions,
  terminal: Terminal,
  backfill: Backfill,
): Promise<Answer> {
  const mode = options.direct ? 'direct-backfill' : 'backfill';
  const plans = new Map<AggregateDefinition, BackfillPlan>();
  for (const definition of definitions) {
    const selected = options.scope === null ? null : (await select(db, definition, options.scope)).documents;
    const plan = await planBackfill(db, definition, mode, selected);
    plans.set(definition, options.restart || options.prune ? { ...plan, doneBefore: null } : plan);
  }
  await terminal.confirm(planText(plans, options));
  // Drop the notes of all types before the first one starts. Otherwise a later run would continue
  // from the old notes of types that this run did not reach.
  if (options.restart) for (const { type } of definitions) await dropProgress(db, { mode, aggregateType: type });
  const results: Record<string, BackfillReport> = {};
  for (const [definition, { documents, selected }] of plans) {
    const { type } = definition;
    const running = {
      ratePerSecond: options.rate,
      signal: terminal.signal,
      progress: terminal.showProgress(documents, `documents of ${type}`),
    };
    const report = await backfill(definition, running, selected);
    results[type] = report;
    const refusal = options.prune ? refusalText(type, report) : null;
    if (refusal !== null) throw new Refusal(refusal, { results });
    if (report.outcome === 'interrupted')
      return {
        outcome: 'interrupted',
        text: `${resultsText(results)}\n${continueText(definitions, type, options)}`,
        facts: { results },
      };
  }
  return { outcome: 'done', text: resultsText(results), facts: { results } };
}

/**
 * MongoDB aborts a transaction after 60 seconds by default. With a lower value, a write in flight
 * could lose to a direct backfill.
 *
 * https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds
 */
const shortestTransaction = 60;

function transactionSeconds(text: string): number {
  const value = count(text);
  if (value <= 7 * 86_400) return value;
  throw new InvalidArgumentError('It must be at most a week.');
}
