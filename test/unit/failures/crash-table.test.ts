import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { crashTableMarkdown } from '../../failures/crash-table.ts';

it('the README shows the crash table whose rows are tests, word for word', async () => {
  const readme = await readFile(path.join(import.meta.dirname, '../../../README.md'), 'utf8');
  expect(readme).toContain(crashTableMarkdown());
});
