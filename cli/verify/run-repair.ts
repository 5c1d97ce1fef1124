/** `outgraph verify --repair`: repairs what a verification finds. */
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, withGraph, withOutbox } from '../databases.ts';
import { refuseUnknownTypes } from '../terminal/read-catalog.ts';
import { type Answer, Refusal, readDatabaseSettings, runCommand, type Terminal } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { VerifyCommandOptions, VerifyScope } from './command.ts';
import type { Difference } from './difference.ts';
import { countDeletions, type RepairReport } from './repair.ts';
import { type RepairTelling, repairGraph } from './repair-wiring.ts';
import { comparedText, differenceFacts, differenceLines, inFlightLines, kindsText, showSteps } from './text.ts';
import type { VerifyReport } from './verify.ts';
import { verifyGraph } from './wiring.ts';

/** Says what it will do, asks, and repairs. With `--yes` it begins to repair while it verifies. */
export async function runRepair(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScope,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const scope = { db, driver, database: settings.NEO4J_DATABASE };
        if (options.isWholeCatalog) await refuseUnknownTypes(scope, definitions);
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
  { transactionSeconds }: VerifyCommandOptions,
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

function planText(found: VerifyReport, { rate, maxDeleted }: VerifyCommandOptions): string {
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

function tooManyText({ recorded, verified }: RepairReport, { maxDeleted }: VerifyCommandOptions): string {
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
