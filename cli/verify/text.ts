/** The texts of `verify`, with and without `--repair`. */

import { escapeUnprintable } from '../../lib/contract/printable.ts';
import type { AggregateDefinition } from '../../lib/projection/define-aggregate.ts';
import type { Scope } from '../documents/scope-options.ts';
import { elementText } from '../show/element-text.ts';
import { typesOf } from '../terminal/read-catalog.ts';
import type { Terminal } from '../terminal/run-command.ts';
import { type Difference, type DifferenceCounts, differenceKinds } from './difference.ts';
import type { VerifyStep } from './ports.ts';

/** "3 missing, 1 ghost"; empty without differences. */
export function kindsText(differences: DifferenceCounts): string {
  return differenceKinds
    .filter((kind) => differences[kind] > 0)
    .map((kind) => `${differences[kind]} ${kind}`)
    .join(', ');
}

/** The number of compared documents, and their types unless all types were compared. */
export function comparedText(
  { documents }: { readonly documents: number },
  definitions: readonly AggregateDefinition[],
  { isWholeCatalog, scope }: { readonly isWholeCatalog: boolean; readonly scope: Scope | null },
): string {
  const selected = scope === null ? '' : 'selected ';
  return `${documents} ${selected}documents${isWholeCatalog ? '' : ` of ${typesOf(definitions)}`} were compared.`;
}

/**
 * A line for each difference, and how many more there are.
 *
 * @param hint how to see the others.
 */
export function differenceLines(
  counts: DifferenceCounts,
  shown: readonly Difference[],
  hint: string,
): readonly string[] {
  const lines = shown.map((difference) => {
    const { kind, aggregate, reason } = difference;
    const names = [aggregate && escapeUnprintable(aggregate), elementText(difference)];
    return `  ${kind.padEnd(8)} ${names.filter((name) => name !== null).join('  ')}  ${escapeUnprintable(reason)}`;
  });
  const more = Object.values(counts).reduce((sum, one) => sum + one, 0) - shown.length;
  return more > 0 ? [...lines, `  … and ${more} more${hint}`] : lines;
}

/** What to run next. Empty if the graph is equal. */
export function nextLines({ dead, ...repairable }: DifferenceCounts): readonly string[] {
  const canRepair = Object.values(repairable).some((count) => count > 0);
  return [
    ...(canRepair
      ? ['Next: "outgraph show TYPE ID" explains one aggregate, "outgraph verify --repair" corrects all of them.']
      : []),
    ...(dead > 0
      ? ['Next, for dead events: "outgraph dead list", and "outgraph show TYPE ID" for their documents.']
      : []),
  ];
}

/** A difference for programs, with the readable name of its element. */
export function differenceFacts(difference: Difference) {
  const name = elementText(difference);
  return name === null ? difference : { ...difference, name };
}

export function inFlightLines({ inFlight }: { readonly inFlight: number }): readonly string[] {
  return inFlight > 0 ? [`${inFlight} aggregates were in flight and were not compared.`] : [];
}

/** Shows a line of progress for each step. */
export function showSteps(terminal: Terminal): (step: VerifyStep, examined: number) => void {
  const lines = new Map<VerifyStep, (examined: number) => void>();
  return (step, examined) => {
    const line = lines.get(step) ?? terminal.showProgress(null, `${step} examined`);
    lines.set(step, line);
    line(examined);
  };
}
