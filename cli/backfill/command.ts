/** `outgraph backfill`: documents that were there before outgraph come into the graph. */
import { Command, InvalidArgumentError } from 'commander';
import type { Db } from 'mongodb';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { type Running, withGraph, withOutbox } from '../databases.ts';
import { goOnText, logTo } from '../reproject/command.ts';
import { dropReprojection, planReprojection, type ReprojectPlan, reprojectType } from '../reproject/wiring.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  count,
  positive,
  readDatabaseSettings,
  readOutboxSettings,
  runCommand,
  type Terminal,
  wholePositive,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { table } from '../terminal/table.ts';
import type { BackfillReport } from './backfill.ts';
import { backfillType } from './wiring.ts';

interface BackfillOptions extends Omit<ChangeOptions, 'rate'>, CatalogOption {
  readonly direct?: true;
  readonly rate?: number;
  readonly concurrency: number;
  readonly transactionSeconds: number;
  readonly maxPending: number;
  readonly restart?: true;
}

const defaultRate = { outbox: 500, direct: 10_000 } as const;

const help = `
When: once every writer records events, and --transaction-seconds later. What they write from then on comes into the graph by itself, and always wins; what was there before comes by this command.

Through the outbox (the usual way): records an event with its current state for every document, as "outgraph reproject" does. The consumer brings them to the graph. Where more than --max-pending events wait, it waits.

--direct: reads the documents, projects them, and applies them to the graph itself, without events: for a first load of millions. Its states stand --transaction-seconds before the moment they were read at, so that every
event that they do not contain is newer, and wins, whatever comes first. What the graph does not take as it is (a document that cannot be projected, a node that another aggregate owns) goes through the outbox, and becomes
dead there with its reason if it stays so. It projects with the code of this program: let it be that of the consumer.

Both may be interrupted or killed, and go on where they were when they are run again; --restart begins anew. To run one again after its end does no harm.

Rights (docs/security.md): in MongoDB those of the part "reprojection"; with --direct, in Neo4j those of the consumer as well.

Examples:
  outgraph backfill memory-user memory-event               through the outbox, 500 a second
  outgraph backfill memory-event --direct                  straight to the graph
  outgraph backfill order --direct --catalog catalog.ts    a type of your own
  outgraph verify memory-event                             afterwards: is the graph what the documents say?`;

/** The command. */
export function backfillCommand(shell: Shell): Command {
  const command = new Command('backfill')
    .description('Brings documents that were there before outgraph into the graph, while writers write.')
    .argument('<aggregateType...>', 'aggregate types of the catalog')
    .option('--direct', 'straight to the graph, without events: for a first load of millions')
    .option('--concurrency <count>', 'with --direct: so many parts at a time', wholePositive, 3)
    .option(
      '--transaction-seconds <seconds>',
      'with --direct: a writer takes no longer for a transaction (from 60 to a week)',
      transactionSeconds,
      120,
    )
    .option('--max-pending <count>', 'wait while more events than these are pending', positive, 5_000)
    .option('--restart', 'begin anew, whatever an earlier run has done')
    .addHelpText('after', help);
  addCatalogOption(command);
  const { outbox, direct } = defaultRate;
  const rate = { default: `${outbox}; with --direct, ${direct}`, what: 'documents' };
  return addChangeOptions(command, rate).action(async (types: readonly string[], options: BackfillOptions) =>
    runBackfill(shell, await readTypesOrExit(shell, types, options, command), options),
  );
}

/** How one type is brought over, in either way. */
type Way = (definition: AggregateDefinition, doneBefore: number, running: Running) => Promise<BackfillReport>;

async function runBackfill(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: BackfillOptions,
): Promise<void> {
  if (options.direct !== true) {
    const settings = await readOutboxSettings(shell);
    return runCommand(shell, options, (terminal) =>
      withOutbox(settings, (db) =>
        backfillAll(db, definitions, options, terminal, throughOutbox(db, options, terminal)),
      ),
    );
  }
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      backfillAll(db, definitions, options, terminal, straight(db, settings, options, terminal)),
    ),
  );
}

async function backfillAll(
  db: Db,
  definitions: readonly AggregateDefinition[],
  options: BackfillOptions,
  terminal: Terminal,
  way: Way,
): Promise<Answer> {
  const plans = new Map<AggregateDefinition, ReprojectPlan>();
  for (const definition of definitions) {
    const plan = await planReprojection(db, definition, 'backfill');
    plans.set(definition, options.restart ? { ...plan, recordedBefore: null } : plan);
  }
  await terminal.confirm(planText(plans, options));
  // Of all types before the first one begins: a later run would go on from the notes of those that this one did not come to.
  if (options.restart)
    for (const { type } of definitions) await dropReprojection(db, { command: 'backfill', aggregateType: type });
  const results: Record<string, BackfillReport> = {};
  for (const [definition, { documents, recordedBefore }] of plans) {
    const { type } = definition;
    const report = await way(definition, recordedBefore ?? 0, {
      ratePerSecond: rateOf(options),
      signal: terminal.signal,
      progress: terminal.showProgress(documents, `documents of ${type}`),
    });
    results[type] = report;
    if (report.outcome === 'interrupted')
      return {
        outcome: 'interrupted',
        text: `${resultsText(results)}\n${goOnText(definitions, type, options)}`,
        facts: { results },
      };
  }
  return { outcome: 'done', text: resultsText(results), facts: { results } };
}

/** What a reprojection does, under notes of its own. */
function throughOutbox(db: Db, { maxPending }: BackfillOptions, terminal: Terminal): Way {
  const settings = { command: 'backfill', maxPending, forget: null } as const;
  return async (definition, doneBefore, running) => {
    const report = await reprojectType(db, definition, settings, running, logTo(terminal));
    const { outcome, recorded, unprojectable, unrecordable } = report;
    const documents = recorded + unrecordable;
    const through = { throughOutbox: recorded - doneBefore, unprojectable, unrecordable };
    return { outcome, documents, applied: 0, superseded: 0, ...through };
  };
}

function straight(db: Db, graph: GraphAddress, options: BackfillOptions, terminal: Terminal): Way {
  let saidAt = Number.NEGATIVE_INFINITY;
  const log = {
    ...logTo(terminal),
    away: (code: string) => {
      // Each part under way tells it, at each try.
      const now = performance.now();
      if (now - saidAt > 60_000)
        terminal.say(`A server does not answer as it should (${code}); it is tried again for about a minute.`);
      saidAt = now;
    },
  };
  return (definition, _, running) =>
    withGraph(db, graph, (driver) =>
      backfillType({ db, driver, database: graph.NEO4J_DATABASE }, definition, options, running, log),
    );
}

function rateOf({ rate, direct }: BackfillOptions): number {
  return rate ?? (direct ? defaultRate.direct : defaultRate.outbox);
}

function planText(plans: ReadonlyMap<AggregateDefinition, ReprojectPlan>, options: BackfillOptions): string {
  const does = options.direct
    ? 'Writes the current state straight to the graph, without events, of'
    : 'Records the current state as an event of';
  const lines = [...plans].map(([{ type }, { documents, recordedBefore }]) => {
    const before = recordedBefore === null ? '' : `, and goes on after the ${recordedBefore} of an earlier run`;
    return `${does} about ${documents} documents of ${type}, ${rateOf(options)} a second at most${before}.`;
  });
  if (options.direct)
    lines.push(
      `What is newer in the graph, or on its way, stays newer, if no writer takes longer than ${options.transactionSeconds} seconds for a transaction, and each has recorded events for so long.`,
    );
  return lines.join('\n');
}

function resultsText(results: Readonly<Record<string, BackfillReport>>): string {
  const rows = Object.entries(results).map(([type, report]) => [
    type,
    report.documents,
    report.applied,
    report.superseded,
    report.throughOutbox,
    report.unrecordable,
  ]);
  const head = ['type', 'documents', 'applied', 'superseded', 'through the outbox', 'unrecordable'];
  const lines = [table(head, rows)];
  for (const [type, { unprojectable }] of Object.entries(results))
    if (unprojectable > 0) lines.push(`${unprojectable} documents of ${type} cannot be projected and will be dead.`);
  return lines.join('\n');
}

/** MongoDB ends a transaction after 60 seconds (transactionLifetimeLimitSeconds), if nobody has set it otherwise: with less, a write that is still under way could lose. */
function transactionSeconds(text: string): number {
  const value = count(text);
  if (value >= 60 && value <= 7 * 86_400) return value;
  throw new InvalidArgumentError(
    'It must be at least 60, as long as MongoDB lets a transaction live, and at most a week.',
  );
}
