/** `outgraph repair`: brings right what a verification finds. */
import { Command } from 'commander';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, withGraph, withOutbox } from '../databases.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit, refuseUnknownTypes } from '../terminal/read-catalog.ts';
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
import type { Difference } from '../verify/difference.ts';
import { comparedText, differenceFacts, differenceLines, inFlightLines, kindsText, showSteps } from '../verify/text.ts';
import type { VerifyReport } from '../verify/verify.ts';
import { verifyGraph } from '../verify/wiring.ts';
import { countDeletions, type RepairReport } from './repair.ts';
import { type RepairTelling, repairGraph } from './wiring.ts';

interface RepairCommandOptions extends ChangeOptions, CatalogOption {
  readonly maxDeleted: number;
  readonly maxPending: number;
  readonly transactionSeconds: number;
  readonly first: number;
}

const help = `
What it does: verifies, as "outgraph verify" does, says what it will do and asks; then repairs and verifies in turn until there is nothing left to repair. With --yes it begins to repair while it verifies.

  missing, stale, changed  the document is recorded anew: an event with its current state goes through the outbox to the consumer, in order with what writers do at the same moment. Of elements that somebody has changed,
                           the registry is told before that they do not stand as it says
  ghost aggregates         a deletion is recorded; what a writer records at the same moment is newer, and wins
  other elements           what no aggregate lists is taken away under its lock, or loses what was outgraph's while somebody else's relationships hold it; counts of sharers are set right
  dead                     is left alone: see "outgraph dead"

What has no document is deleted only when all documents are right, and not if it is more than --max-deleted: a collection that is empty by mistake must not empty the graph. Elements without outgraph's marks are never touched.

The consumer must be running. Interrupted or killed, the graph is no worse; run it again.

The users need the MongoDB role "reprojection" and the Neo4j role of the consumer (docs/security.md). Not for a type whose events are recorded for something else than documents of its collection: all of it would be ghosts.

Examples:
  outgraph repair                            all types
  outgraph repair memory-event --rate 20     one type, slowly`;

/** The command. */
export function repairCommand(shell: Shell): Command {
  const command = new Command('repair')
    .description('Brings right what verify finds, through the outbox, and verifies again.')
    .argument('[aggregateType...]', 'aggregate types of the catalog; left out: all of them')
    .option('--max-deleted <count>', 'delete nothing if it would be more than these', count, 1_000)
    .option('--max-pending <count>', 'wait while more events than these are pending', positive, 5_000)
    .option('--transaction-seconds <seconds>', 'a writer takes no longer for a transaction', count, 120)
    .option('--first <count>', 'print so many of the differences that are left', count, 20)
    .addHelpText('after', help);
  addCatalogOption(command);
  return addChangeOptions(command, { default: 100, what: 'aggregates' }).action(
    async (types: readonly string[], options: RepairCommandOptions) =>
      runRepair(shell, await readTypesOrExit(shell, types, options, command), {
        ...options,
        isWholeCatalog: types.length === 0,
      }),
  );
}

interface RepairScoped extends RepairCommandOptions {
  /** No types were named: all of them are repaired. */
  readonly isWholeCatalog: boolean;
}

async function runRepair(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: RepairScoped,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const scope = { db, driver, database: settings.NEO4J_DATABASE };
        if (options.isWholeCatalog) await refuseUnknownTypes(scope, definitions, 'repair');
        // Where nobody is asked, the first round's verification is enough.
        if (!options.yes) {
          const found = await look(scope, definitions, options, terminal);
          if (found.outcome !== 'different')
            return {
              outcome: found.outcome,
              text: lookText(found, comparedText(found, definitions, options)),
              facts: { verified: found },
            };
          await terminal.confirm(planText(found, options));
        }
        const left = new Left(options.first);
        const report = await repairGraph(
          scope,
          definitions,
          options,
          { ratePerSecond: options.rate, signal: terminal.signal, progress: terminal.showProgress(null, 'repaired') },
          tellTo(terminal, left),
        );
        if (report.outcome === 'too-many') throw new Refusal(tooManyText(report, options), { ...report });
        const outcome = report.outcome === 'unapplied' ? 'different' : report.outcome;
        const text = reportText(report, left, comparedText(report.verified, definitions, options));
        return { outcome, text, facts: { ...report, first: left.differences.map(differenceFacts) } };
      }),
    ),
  );
}

/** The first differences of the last round. */
class Left {
  readonly #most: number;
  differences: Difference[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  readonly forget = (): void => {
    this.differences = [];
  };

  readonly add = (difference: Difference): void => {
    if (this.differences.length < this.#most) this.differences.push(difference);
  };
}

function look(
  scope: Databases,
  definitions: readonly AggregateDefinition[],
  { transactionSeconds }: RepairCommandOptions,
  terminal: Terminal,
): Promise<VerifyReport> {
  const ignore = () => undefined;
  const running = { signal: terminal.signal, progress: showSteps(terminal), tell: ignore };
  return verifyGraph(scope, definitions, { quick: false, transactionSeconds }, running);
}

/** Half a second each: a consumer that works needs less. */
const pollsBeforeWord = 20;

function tellTo(terminal: Terminal, left: Left): RepairTelling {
  let polls = 0;
  return {
    looked: showSteps(terminal),
    found: ({ difference }) => left.add(difference),
    round: (round) => {
      left.forget();
      if (round > 1) terminal.say('Verifies again.');
    },
    waiting: () => {
      polls += 1;
      if (polls === pollsBeforeWord) terminal.say('Waits until what is recorded is applied. Is the consumer running?');
    },
  };
}

function lookText(report: VerifyReport, compared: string): string {
  if (report.outcome === 'interrupted') return 'Interrupted; nothing was changed.';
  const lines = [`The graph is what the documents say: nothing is to be repaired. ${compared}`];
  return [...lines, ...inFlightLines(report)].join('\n');
}

function planText(found: VerifyReport, { rate, maxDeleted }: RepairCommandOptions): string {
  const { missing, stale, changed, ghost, unowned, dead } = found.differences;
  const lines = [`The graph is not what the ${found.documents} documents say: ${kindsText(found.differences)}.`];
  if (missing + stale + changed > 0)
    lines.push(`Records the documents of what is missing, stale or changed anew, ${rate} a second at most.`);
  if (ghost + unowned > 0)
    lines.push(
      countDeletions(found) > maxDeleted
        ? 'Deletes nothing of the ghosts and what nobody owns if it is still more than --max-deleted after that.'
        : 'Deletes the ghosts, and what nobody owns after that.',
    );
  if (dead > 0) lines.push('Leaves alone what is dead: outgraph dead list.');
  return lines.join('\n');
}

function tooManyText({ recorded, verified }: RepairReport, { maxDeleted }: RepairCommandOptions): string {
  return `${recorded} documents were recorded. ${countDeletions(verified)} ghosts and elements that nobody owns would have to be deleted, more than --max-deleted ${maxDeleted}: none was. If that is right, run it again with a larger number.`;
}

function reportText(report: RepairReport, left: Left, compared: string): string {
  const { outcome, recorded, deletionsRecorded, elementsSettled, unrecordable, verified } = report;
  const headline = {
    equal: 'The graph is what the documents say.',
    different: `The graph is still not what the documents say: ${kindsText(verified.differences)}.`,
    interrupted: 'Interrupted; run it again to go on.',
    unapplied: 'What is recorded waits, and nobody applies it: is the consumer running? `outgraph status` tells.',
    'too-many': '',
  }[outcome];
  const parts = [
    `${recorded} documents recorded`,
    `${deletionsRecorded} deletions recorded`,
    `${elementsSettled} elements settled`,
  ];
  if (unrecordable > 0) parts.push(`${unrecordable} documents that no event can be made of`);
  const lines =
    outcome === 'different'
      ? differenceLines(verified.differences, left.differences, ': outgraph verify --to FILE writes all of them')
      : [];
  return [headline, `${parts.join(', ')}. ${compared}`, ...inFlightLines(verified), ...lines].join('\n');
}
