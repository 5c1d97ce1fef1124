import { expect, it } from 'vitest';
import { table } from '../../../cli/terminal/table.ts';

it('columns fit their widest cell, numbers are right-aligned, and no line ends with a space', () => {
  const rows = [
    ['memory-event', 12_345, '3 s'],
    ['日本', 2, ''],
  ];
  expect(table(['type', 'pending', 'oldest'], rows).split('\n')).toStrictEqual([
    'type          pending  oldest',
    'memory-event   12,345  3 s',
    '日本                2',
  ]);
});
