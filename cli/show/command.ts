/** `outgraph show`: shows one aggregate, from its document to the graph. */
import { Command } from 'commander';
import { Fault } from '../../lib/contract/fault.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { keysIn, withGraph, withOutbox } from '../databases.ts';
import { exitCodesText } from '../exit-codes.ts';
import { addCatalogOption, type CatalogOption, readTypesOrExit } from '../terminal/read-catalog.ts';
import { type Answer, readDatabaseSettings, runCommand } from '../terminal/run-command.ts';
import type { Shell } from '../terminal/shell.ts';
import { plainView } from './plain-values.ts';
import { showText } from './text.ts';
import { viewAggregate } from './view-aggregate.ts';

interface ShowCommandOptions extends CatalogOption {
  readonly walk: boolean;
  readonly json?: true;
}

const help = `
Examples:
  outgraph show order 66a0c0ffee0123456789abcd
  outgraph show order 66a0c0ffee0123456789abcd --json | jq .differences

It prints the document, its projection, its events in the outbox, its state in
the graph, and the differences. The output contains values of the document.
Exit code 4: they differ; 1: there is no such aggregate.

If the id is not the document's _id, it searches for the document by the
events, and then in the whole collection, unless you pass --no-walk.`;

/** The command. */
export function showCommand(shell: Shell): Command {
  const command = new Command('show')
    .argument('<aggregateType>', 'an aggregate type of the catalog')
    .argument('<aggregateId>', 'its id, as its events have it')
    .option('--no-walk', 'do not search the whole collection for the document')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', `${help}\n${exitCodesText()}`);
  return addCatalogOption(command).action(async (type: string, aggregateId: string, options: ShowCommandOptions) => {
    const [definition] = await readTypesOrExit(shell, [type], options, command);
    if (definition !== undefined) await runShow(shell, definition, aggregateId, options);
  });
}

async function runShow(
  shell: Shell,
  definition: AggregateDefinition,
  aggregateId: string,
  { walk, json }: ShowCommandOptions,
): Promise<void> {
  const settings = await readDatabaseSettings(shell);
  return runCommand(shell, json === true ? { json } : {}, ({ signal, showProgress }) =>
    withOutbox(settings, (db) =>
      withGraph(db, settings, async (driver): Promise<Answer> => {
        const progress = showProgress(null, 'documents examined');
        const scope = { db, driver, database: settings.NEO4J_DATABASE, keys: keysIn(settings) };
        const result = await viewAggregate(scope, definition, aggregateId, { walk, signal, progress });
        if (result.outcome === 'unknown') throw unknownAggregate(definition, aggregateId, walk);
        if (result.outcome === 'interrupted')
          return { outcome: 'interrupted', text: 'Interrupted before the document was found.', facts: {} };
        const { view } = result;
        const isEqual = view.differences.length === 0;
        const outcome = isEqual ? (view.search === 'not-found' ? 'done' : 'equal') : 'different';
        return { outcome, text: showText(view), facts: plainView(view) };
      }),
    ),
  );
}

function unknownAggregate({ type, collection }: AggregateDefinition, aggregateId: string, walk: boolean): Fault {
  const documents = walk ? 'no document' : 'no likely document (without --no-walk, it searches all)';
  return new Fault(
    'unexpected',
    `There is no aggregate "${aggregateId}" of the type "${type}": ${documents} of ${collection} has this id, ` +
      'no event in the outbox does, and the graph does not know it.',
  );
}
