/** The texts of `outgraph backfill`. */
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import { idText } from '../documents/mongodb-documents.ts';
import type { Terminal } from '../terminal/run-command.ts';
import { table } from '../terminal/table.ts';
import type { RatedOptions } from './command.ts';
import type { BackfillPlan, BackfillReport } from './wiring.ts';

type Reports = Readonly<Record<string, BackfillReport>>;

/** The plan, for the confirmation. */
export function planText(
  plans: ReadonlyMap<AggregateDefinition, BackfillPlan>,
  { direct, prune, rate, transactionSeconds }: RatedOptions,
): string {
  const action = direct
    ? 'Writes the current state straight into the graph, without events, of'
    : 'Records the current state as an event of';
  const lines = [...plans].map(([{ type }, { documents, doneBefore, selected }]) => {
    const before = doneBefore === null ? '' : `, and continues after the ${doneBefore} of an earlier run`;
    const number = selected === null ? `about ${documents}` : `${documents} selected`;
    return `${action} ${number} documents of ${type}, at most ${rate} a second${before}.`;
  });
  if (direct)
    lines.push(
      'Newer states in the graph, and pending events, win. Conditions: no transaction of a writer takes longer than ' +
        `${transactionSeconds} seconds, and every writer has recorded events for that long.`,
    );
  if (prune) lines.push('Then deletes aggregates without a document from the graph.');
  return lines.join('\n');
}

export function resultsText(results: Reports): string {
  const rows = Object.entries(results).map(([type, report]) => {
    const { documents, applied, superseded, throughOutbox, unrecordable, pruned } = report;
    const deleted = pruned !== null && 'pruned' in pruned ? pruned.pruned : 0;
    return [type, documents, applied, superseded, throughOutbox, unrecordable, deleted];
  });
  const head = ['type', 'documents', 'applied', 'superseded', 'recorded', 'unrecordable', 'deleted'];
  const lines = [table(head, rows)];
  for (const [type, { unprojectable }] of Object.entries(results))
    if (unprojectable > 0) lines.push(`${unprojectable} documents of ${type} cannot be projected and will be dead.`);
  return lines.join('\n');
}

/** How to continue: without `--restart`, and without the completed types, which would run again. */
export function continueText(
  definitions: readonly AggregateDefinition[],
  interrupted: string,
  { restart, prune }: Pick<RatedOptions, 'restart' | 'prune'>,
): string {
  const types = definitions.map(({ type }) => type);
  const remaining = types.slice(types.indexOf(interrupted)).join(' ');
  if (prune) return `Interrupted. Run it again with ${remaining}: ${interrupted} starts at the first document.`;
  const without = restart ? ', without --restart,' : '';
  return `Interrupted. Run it again with ${remaining}${without} to continue.`;
}

/** Why a type was not pruned; null if it was. */
export function refusalText(type: string, { unrecordable, pruned, outcome }: BackfillReport): string | null {
  if (pruned?.outcome === 'too-many')
    return (
      `${pruned.missing} aggregates of ${type} have no document, more than --max-deleted: none was deleted. ` +
      'If the number is right, run it again with a larger --max-deleted.'
    );
  if (pruned?.outcome === 'graph-changed')
    return (
      `The graph was replaced while the documents of ${type} were recorded, so aggregates that it lost would look ` +
      `deleted. ${pruned.pruned === 0 ? 'Nothing was' : `${pruned.pruned} aggregates were`} deleted. Run it again.`
    );
  if (outcome === 'done' && unrecordable > 0)
    return `${unrecordable} documents of ${type} cannot be recorded as events: nothing was deleted from the graph.`;
  return null;
}

/** Messages while it runs. */
export function logTo({ say }: Terminal) {
  let saidWaiting = false;
  let saidUnavailableAt = Number.NEGATIVE_INFINITY;
  return {
    waiting: (pending: number) => {
      if (!saidWaiting)
        say(`Waiting: at least ${pending.toLocaleString('en-US')} events are pending. Is the consumer running?`);
      saidWaiting = true;
    },
    unrecordable: (id: unknown, reason: string) =>
      say(`Cannot record an event for the document with _id ${idText(id)}: ${reason}`),
    unavailable: (code: string) => {
      // Every chunk in flight reports it, at each attempt.
      const now = performance.now();
      if (now - saidUnavailableAt > 60_000) say(`A server is unavailable (${code}). Trying again for about a minute.`);
      saidUnavailableAt = now;
    },
  };
}
