import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { crashTableMarkdown } from '../../failures/crash-table.ts';

it('docs/failure-modes.md shows the crash table, whose rows are tests, word for word', async () => {
  const page = await readFile(path.join(import.meta.dirname, '../../../docs/failure-modes.md'), 'utf8');
  expect(page).toContain(crashTableMarkdown());
});
