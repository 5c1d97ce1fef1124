/** Small components shared by the views. */
// biome-ignore-all lint/a11y/noRedundantRoles: CSS blocks hide a table's roles
import type { ComponentChild, ComponentChildren } from 'preact';
import { absolute, relative } from './format.ts';

/** A relative time, with the exact time as a tooltip. */
export function Time({ at, now }: { readonly at: string; readonly now: string }): ComponentChild {
  return (
    <time dateTime={at} title={absolute(at)}>
      {relative(at, now)}
    </time>
  );
}

export interface Column<Row> {
  readonly title: string;
  readonly isNumber?: true;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  /** Names the table for screen readers. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Shown instead of a table without rows. */
  readonly empty?: ComponentChildren;
}

/** A table; on a narrow screen, each row is a card, made with CSS blocks. */
export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>): ComponentChild {
  if (rows.length === 0 && empty !== undefined) return <p class="empty">{empty}</p>;
  return (
    // biome-ignore lint/a11y/useSemanticElements: only a box inside a section
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
    <div class="scrolls" role="region" aria-label={caption} tabIndex={0}>
      <table role="table" class="stacks">
        <caption class="hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" role="columnheader" class={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={keyOf(row)} role="row">
              {columns.map(({ title, isNumber, cell }) => (
                <td key={title} role="cell" class={isNumber ? 'number' : undefined} data-title={title}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
