/** `outgraph verify --repair`: repairs the differences that a verification finds. */
import { readClusterTime } from '../../lib/outbox/mongodb-clock.ts';
import { outboxOf } from '../../lib/outbox/mongodb-collection.ts';
import { countPending, oldestPending } from '../../lib/outbox/mongodb-unsettled.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { type Databases, paceOf, sleepUnless } from '../databases.ts';
import type { DocumentId } from '../documents/mongodb-documents.ts';
import { recordDocuments } from '../documents/mongodb-record-current-states.ts';
import { recordDeletions } from '../documents/mongodb-record-deletions.ts';
import { type Answer, Refusal, type Terminal } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { recordedAtOnce } from '../throttle/capacity.ts';
import { chunkFor } from '../throttle/pace.ts';
import type { VerifyCommandOptions, VerifyScope } from './command.ts';
import type { Difference } from './difference.ts';
import { correctManifests } from './neo4j-correct-manifests.ts';
import { settleElements } from './neo4j-settle-elements.ts';
import { countDeletions, type RepairReport, repair } from './repair.ts';
import { runCompared } from './run-compared.ts';
import { comparedText, differenceFacts, differenceLines, inFlightLines, kindsText, showSteps } from './text.ts';
import type { VerifyReport } from './verify.ts';
import { type Selection, verifyGraph } from './wiring.ts';

type Limited = VerifyScope & { readonly selection: Selection | null };

/** Prints the plan, asks, and repairs. With `--yes`, it repairs during the first verification. */
export async function runRepair(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScope,
): Promise<void> {
  return runCompared(shell, definitions, options, async (scope, selection, terminal): Promise<Answer> => {
    const limited = { ...options, selection };
    // Without a confirmation, the verification of the first round is enough.
    if (!options.yes) {
      const found = await verifyOnly(scope, definitions, limited, terminal);
      if (found.outcome !== 'different')
        return {
          outcome: found.outcome,
          text: nothingToRepairText(found, comparedText(found, definitions, options)),
          facts: { verified: found },
        };
      await terminal.confirm(planText(found, options));
    }
    const remaining = new Remaining(options.first);
    const report = await repairGraph(scope, definitions, limited, terminal, remaining);
    if (report.outcome === 'too-many') throw new Refusal(tooManyText(report, options), { ...report });
    const outcome = report.outcome === 'unapplied' ? 'different' : report.outcome;
    const text = reportText(report, remaining, comparedText(report.verified, definitions, options));
    return { outcome, text, facts: { ...report, first: remaining.differences.map(differenceFacts) } };
  });
}

/** The first differences that the last round found. */
class Remaining {
  readonly #limit: number;
  differences: Difference[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly forget = (): void => {
    this.differences = [];
  };

  readonly add = (difference: Difference): void => {
    if (this.differences.length < this.#limit) this.differences.push(difference);
  };
}

function verifyOnly(
  scope: Databases,
  definitions: readonly AggregateDefinition[],
  { transactionSeconds, selection }: Limited,
  terminal: Terminal,
): Promise<VerifyReport> {
  const running = { signal: terminal.signal, progress: showSteps(terminal), onDifference: () => undefined };
  return verifyGraph(scope, definitions, { quick: false, transactionSeconds, selection }, running);
}

/** Half a second each. A working consumer needs less. */
const pollsBeforeMessage = 20;

/** @throws Fault `mongodb-unavailable` or `neo4j-unavailable`; run it again. */
function repairGraph(
  scope: Databases,
  definitions: readonly AggregateDefinition[],
  options: Limited,
  terminal: Terminal,
  remaining: Remaining,
): Promise<RepairReport> {
  const { db, driver, database, keys } = scope;
  const { signal } = terminal;
  const outbox = outboxOf(db);
  const byType = new Map(definitions.map((definition) => [definition.type, definition]));
  const progress = terminal.showProgress(null, 'repaired');
  const steps = showSteps(terminal);
  let polls = 0;
  return repair<DocumentId>(
    {
      verify: (onDifference) =>
        verifyGraph(
          scope,
          definitions,
          { ...options, quick: false },
          {
            signal,
            progress: steps,
            onDifference: (found) => {
              remaining.add(found.difference);
              return onDifference(found);
            },
          },
        ),
      correctManifests: (damaged) => correctManifests(driver, database, damaged),
      recordCurrentStates: (aggregateType, ids) => {
        const definition = byType.get(aggregateType);
        if (definition === undefined) throw new Error(`The aggregate type "${aggregateType}" is not repaired.`);
        return recordDocuments(db, definition, ids);
      },
      recordDeletions: (ghosts) =>
        recordDeletions(
          outbox,
          ghosts.map(({ key, position }) => ({ ...keys.split(key), knownPosition: position })),
          new Date(),
        ),
      settleElements: (elements) => settleElements(driver, database, { elements, rewrite: false }),
      readClusterTime: () => readClusterTime(db.client, outbox),
      oldestPending: () => oldestPending(outbox),
      countPending: (limit) => countPending(outbox, limit),
      pace: paceOf({ ratePerSecond: options.rate, signal, progress }),
      sleep: (millis) => sleepUnless(signal, millis),
      isInterrupted: () => signal.aborted,
      log: {
        progress,
        round: (round) => {
          remaining.forget();
          if (round > 1) terminal.say('Verifying again.');
        },
        waiting: () => {
          polls += 1;
          if (polls === pollsBeforeMessage)
            terminal.say('Waiting until the recorded events are applied. Is the consumer running?');
        },
      },
    },
    { ...options, chunkDocuments: chunkFor(options.rate, recordedAtOnce) },
  );
}

function nothingToRepairText(report: VerifyReport, compared: string): string {
  if (report.outcome === 'interrupted') return 'Interrupted; nothing was changed.';
  const lines = [`The graph matches the documents: there is nothing to repair. ${compared}`];
  return [...lines, ...inFlightLines(report)].join('\n');
}

function planText(found: VerifyReport, { rate, maxDeleted }: VerifyCommandOptions): string {
  const { missing, stale, changed, ghost, unowned, dead } = found.differences;
  const lines = [`The graph does not match the ${found.documents} documents: ${kindsText(found.differences)}.`];
  if (missing + stale + changed > 0)
    lines.push(`Records the documents of missing, stale and changed aggregates again, at most ${rate} a second.`);
  if (ghost + unowned > 0)
    lines.push(
      countDeletions(found) > maxDeleted
        ? 'Deletes no ghosts and unowned elements if there are still more than --max-deleted after that.'
        : 'Then deletes ghosts and unowned elements.',
    );
  if (dead > 0) lines.push('Does not change dead events: see "outgraph dead list".');
  return lines.join('\n');
}

function tooManyText({ recorded, verified }: RepairReport, { maxDeleted }: VerifyCommandOptions): string {
  return (
    `${recorded} documents were recorded. ${countDeletions(verified)} ghosts and unowned elements would be deleted, ` +
    `more than --max-deleted ${maxDeleted}: none was deleted. If the number is right, run it again with a larger one.`
  );
}

function reportText(report: RepairReport, remaining: Remaining, compared: string): string {
  const { outcome, recorded, deletionsRecorded, elementsSettled, unrecordable, verified } = report;
  const headline = {
    equal: 'The graph matches the documents.',
    different: `The graph still does not match the documents: ${kindsText(verified.differences)}.`,
    interrupted: 'Interrupted; run it again to continue.',
    unapplied: 'The recorded events are not being applied. Is the consumer running? Run "outgraph status".',
    'too-many': '',
  }[outcome];
  const parts = [
    `${recorded} documents recorded`,
    `${deletionsRecorded} deletions recorded`,
    `${elementsSettled} elements corrected`,
  ];
  if (unrecordable > 0) parts.push(`${unrecordable} documents could not be recorded`);
  const lines =
    outcome === 'different'
      ? differenceLines(verified.differences, remaining.differences, ': outgraph verify --to FILE writes all of them')
      : [];
  return [headline, `${parts.join(', ')}. ${compared}`, ...inFlightLines(verified), ...lines].join('\n');
}
