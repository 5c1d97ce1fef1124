/** A table without borders. Columns are as wide as their text, in any script. */
import Table from 'cli-table3';

const noLines = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((name) => [name, `${name}-mid`, `${name}-left`, `${name}-right`])
    .map((name) => [name, '']),
);

/** A line of headings and a line for each row. Numbers are aligned right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const isNumber = headings.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const lines = new Table({
    head: [...headings],
    chars: { ...noLines, middle: '  ' },
    colAligns: isNumber.map((number) => (number ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  lines.push(...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell))));
  return lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
