/** Small components shared by the views. */
import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { absolute, relative } from './format.ts';

/** A relative time, with the exact time as a tooltip. */
export function Time({ at, now }: { readonly at: string; readonly now: string }): ComponentChild {
  return h('time', { dateTime: at, title: absolute(at) }, relative(at, now));
}

export function Empty({ children }: { readonly children: ComponentChildren }): ComponentChild {
  return h('p', { class: 'empty' }, children);
}

export function Problem({ children }: { readonly children: ComponentChildren }): ComponentChild {
  return h('div', { class: 'problem', role: 'alert' }, children);
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
}

/** A table; on a narrow screen, each row is a card. The roles are explicit, because CSS blocks hide a table's roles. */
export function Table<Row>({ caption, columns, rows, keyOf }: TableProps<Row>): ComponentChild {
  const head = columns.map(({ title, isNumber }) =>
    h('th', { key: title, scope: 'col', role: 'columnheader', class: isNumber ? 'number' : undefined }, title),
  );
  const lines = rows.map((row) =>
    h(
      'tr',
      { key: keyOf(row), role: 'row' },
      columns.map(({ title, isNumber, cell }) =>
        h('td', { key: title, role: 'cell', class: isNumber ? 'number' : undefined, 'data-title': title }, cell(row)),
      ),
    ),
  );
  const table = h(
    'table',
    { role: 'table', class: 'stacks' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
    h('tbody', { role: 'rowgroup' }, lines),
  );
  return h('div', { class: 'scrolls', role: 'region', 'aria-label': caption, tabIndex: 0 }, table);
}
