/** `outgraph verify`: is the graph what the documents say? */
import { open } from 'node:fs/promises';
import { Command } from 'commander';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { withGraph, withOutbox } from '../databases.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit, refuseUnknownTypes } from '../terminal/read-catalog.ts';
import {
  type Answer,
  count,
  exitCodesText,
  Refusal,
  readDatabaseSettings,
  runCommand,
} from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import type { Difference } from './difference.ts';
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

interface VerifyCommandOptions extends CatalogOption {
  readonly quick?: true;
  readonly first: number;
  readonly to?: string;
  readonly transactionSeconds: number;
  readonly json?: true;
}

const help = `
What it does: reads every document of the types' collections, projects it, and compares it with what stands in the graph; then looks for what stands in the graph and has no document. It changes nothing, takes no
lock, and may run while writers write: what is in flight is passed over, and counted.

What it finds:
  missing  a document's aggregate does not stand in the graph, and no event is on its way
  stale    the graph has an older state of it
  changed  outgraph wrote it right, and somebody else changed or removed an element
  ghost    the graph has an aggregate without a document, or a node that its aggregate does not list
  unowned  an element with outgraph's marks that no aggregate lists
  dead     the newest event is dead, or the document can never be applied

--quick compares positions and manifests alone: what outgraph has written, whatever was done to it since. Elements without outgraph's marks are not outgraph's, and not looked at.

Not for a type whose events are recorded for something else than documents of its collection: all of it would be ghosts.

Examples:
  outgraph verify                                all types
  outgraph verify memory-event --to diff.jsonl   one type, with every difference in a file`;

/** The command. */
export function verifyCommand(shell: Shell): Command {
  const command = new Command('verify')
    .description('Compares the graph with the documents, element by element. Changes nothing.')
    .argument('[aggregateType...]', 'aggregate types of the catalog; left out: all of them')
    .option('--quick', 'by positions and manifests alone')
    .option('--first <count>', 'print so many differences', count, 20)
    .option('--to <file>', 'write all differences to a file, one line of JSON each')
    .option('--transaction-seconds <seconds>', 'a writer takes no longer for a transaction', count, 120)
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText}`);
  return addCatalogOption(command).action(async (types: readonly string[], options: VerifyCommandOptions) =>
    runVerify(shell, await readTypesOrExit(shell, types, options, command), {
      ...options,
      isWholeCatalog: types.length === 0,
    }),
  );
}

interface VerifyScoped extends VerifyCommandOptions {
  /** No types were named: all of them are compared. */
  readonly isWholeCatalog: boolean;
}

async function runVerify(
  shell: Shell,
  definitions: readonly AggregateDefinition[],
  options: VerifyScoped,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, options.json === true ? { json: true } : {}, (terminal) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const scope = { db, driver, database: settings.NEO4J_DATABASE };
        if (options.isWholeCatalog) await refuseUnknownTypes(scope, definitions, 'verify');
        const shown: Difference[] = [];
        const file = options.to === undefined ? null : await openFile(options.to);
        const tell = async ({ difference }: { readonly difference: Difference }) => {
          if (shown.length < options.first) shown.push(difference);
          await file?.write(`${JSON.stringify(differenceFacts(difference))}\n`);
        };
        const { quick = false, transactionSeconds } = options;
        const report = await verifyGraph(
          scope,
          definitions,
          { quick, transactionSeconds },
          { signal: terminal.signal, progress: showSteps(terminal), tell },
        ).finally(() => file?.close());
        return {
          outcome: report.outcome,
          text: reportText(report, shown, comparedText(report, definitions, options), options),
          facts: { ...report, types: definitions.map(({ type }) => type), first: shown.map(differenceFacts) },
        };
      }),
    ),
  );
}

interface DifferenceFile {
  readonly write: (line: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** @throws Refusal where it cannot be written to, at once or later. */
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
    equal: 'The graph is what the documents say.',
    different: `The graph is not what the documents say: ${kinds}.`,
    interrupted: `Interrupted. Until then: ${kinds || 'no difference'}.`,
  }[outcome];
  const lines = differenceLines(differences, shown, to === undefined ? ': --to FILE writes all of them' : '');
  return [headline, compared, ...inFlightLines(report), ...lines, ...nextLines(differences)].join('\n');
}
