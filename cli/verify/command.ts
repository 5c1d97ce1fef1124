/** `outgraph verify`: does the graph match the documents? `--repair` corrects it. */
import { open } from 'node:fs/promises';
import { Command } from 'commander';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { addScopeOptions, type Scope, type ScopeOptions, scopeOrExit } from '../documents/scope-options.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import {
  type Answer,
  addChangeOptions,
  type ChangeOptions,
  count,
  positive,
  Refusal,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { Difference } from './difference.ts';
import { runCompared } from './run-compared.ts';
import { runRepair } from './run-repair.ts';
import {
  comparedText,
  differenceFacts,
  differenceLines,
  inFlightLines,
  kindsText,
  nextLines,
  showSteps,
} from './text.ts';
import type { VerifyReport } from './verify.ts';
import { verifyGraph } from './wiring.ts';

export interface VerifyCommandOptions extends ChangeOptions, CatalogOption, ScopeOptions {
  readonly quick?: true;
  readonly first: number;
  readonly to?: string;
  readonly transactionSeconds: number;
  readonly repair?: true;
  readonly maxDeleted: number;
  readonly maxPending: number;
}

export interface VerifyScope extends VerifyCommandOptions {
  /** No types were named, so all are compared. */
  readonly isWholeCatalog: boolean;
  /** Null: all documents. */
  readonly scope: Scope | null;
}

const help = `
Examples:
  outgraph verify                             all types
  outgraph verify order --to diff.jsonl       one type, differences in a file
  outgraph verify order --id 66a0c0ffee0123456789abcd
  outgraph verify order --filter '{"customer": 7}'
  outgraph verify --since 2026-11-25T03:00:00Z
  outgraph verify --repair                    repair what is wrong
  outgraph verify order --repair --rate 20    one type, slowly

It compares every document with the graph, element by element, and then looks
for elements without a document. Writers may write in the meantime; aggregates
in flight are skipped and counted. It finds:

  missing  the graph lacks the aggregate of a document, and no event is pending
  stale    the graph has an older state
  changed  another program changed or removed an element
  ghost    an aggregate without a document, or a node that its aggregate lacks
  unowned  an element with outgraph's marks that no aggregate lists
  dead     the newest event is dead, or the document can never be applied

With --id, --filter or --since it compares only these aggregates, without
walking a collection, and does not search for elements that no aggregate lists.
Only --id and --since find aggregates without a document.

--quick compares only positions and manifests: it does not find changes by
other programs.

--repair changes nothing before you confirm. It records the documents of
missing, stale and changed aggregates through the outbox. Then it deletes
ghosts and unowned elements, unless there are more than --max-deleted. It does
not touch dead events or elements without outgraph's marks. Your consumer must
be running.

Do not use it for a type whose events do not correspond to documents of its
collection: all its aggregates would be ghosts. Details: docs/reference/cli.md`;

/** The command. */
export function verifyCommand(shell: Shell): Command {
  const command = new Command('verify')
    .argument('[type...]', 'aggregate types of the catalog (default: all)')
    .option('--quick', 'compare only positions and manifests')
    .option('--first <count>', 'print at most this many differences', count, 20)
    .option('--to <file>', 'write all differences to a file, as JSON lines')
    .option('--transaction-seconds <seconds>', "the longest a writer's transaction takes", count, 120)
    .option('--repair', 'repair the differences, and verify again')
    .option('--max-deleted <count>', 'with --repair: delete nothing if there are more', count, 1_000)
    .option('--max-pending <count>', 'with --repair: wait while more events are pending', positive, 5_000)
    .addHelpText('after', help);
  addCatalogOption(addScopeOptions(command));
  return addChangeOptions(command, { default: 100, what: 'aggregates' }).action(
    async (types: readonly string[], options: VerifyCommandOptions) => {
      if (options.repair && (options.quick || options.to !== undefined))
        command.error('error: --repair verifies several times: leave out --quick and --to');
      const scope = scopeOrExit(options, types, command);
      const definitions = await readTypesOrExit(shell, types, options, command);
      const limited = { ...options, scope, isWholeCatalog: types.length === 0 };
      return options.repair ? runRepair(shell, definitions, limited) : runVerify(shell, definitions, limited);
    },
  );
}

async function runVerify(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScope,
): Promise<void> {
  return runCompared(shell, definitions, options, async (scope, selection, terminal): Promise<Answer> => {
    const shown: Difference[] = [];
    const file = options.to === undefined ? null : await openFile(options.to);
    const onDifference = async ({ difference }: { readonly difference: Difference }) => {
      if (shown.length < options.first) shown.push(difference);
      await file?.write(`${JSON.stringify(differenceFacts(difference))}\n`);
    };
    const { quick = false, transactionSeconds } = options;
    const report = await verifyGraph(
      scope,
      definitions,
      { quick, transactionSeconds, selection },
      { signal: terminal.signal, progress: showSteps(terminal), onDifference },
    ).finally(() => file?.close());
    return {
      outcome: report.outcome,
      text: reportText(report, shown, comparedText(report, definitions, options), options),
      facts: { ...report, types: definitions.map(({ type }) => type), first: shown.map(differenceFacts) },
    };
  });
}

interface DifferenceFile {
  readonly write: (line: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** @throws Refusal if the file cannot be written, now or later. */
async function openFile(name: string): Promise<DifferenceFile> {
  const refuse = (error: NodeJS.ErrnoException): never => {
    throw new Refusal(`${name} cannot be written: ${error.code ?? error.message}.`);
  };
  const file = await open(name, 'w').catch(refuse);
  return { write: (line) => file.writeFile(line).catch(refuse), close: () => file.close() };
}

function reportText(
  report: VerifyReport,
  shown: readonly Difference[],
  compared: string,
  { to }: VerifyCommandOptions,
): string {
  const { outcome, differences } = report;
  const kinds = kindsText(differences);
  const headline = {
    equal: 'The graph matches the documents.',
    different: `The graph does not match the documents: ${kinds}.`,
    interrupted: `Interrupted. So far: ${kinds || 'no difference'}.`,
  }[outcome];
  const lines = differenceLines(differences, shown, to === undefined ? ': --to FILE writes all of them' : '');
  return [headline, compared, ...inFlightLines(report), ...lines, ...nextLines(differences)].join('\n');
}
