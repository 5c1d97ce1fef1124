/** The run book's table of codes has the same words as `outgraph dead show`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { codeHints, hintFor } from '../../../cli/dead/code-hints.ts';
import { dataFaultCodes } from '../../../lib/contract/fault.ts';
import { projectRoot } from '../../../tools/local/paths.ts';

const page = readFileSync(path.join(projectRoot, 'docs/runbook.md'), 'utf8');
const [, table = ''] = /^\| `error\.code` \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(page) ?? [];

it('the table of codes has the reason and the remedy of every code, and no other code', () => {
  const documented = table
    .trim()
    .split('\n')
    .flatMap((row) => {
      const [, codes = '', reason = '', remedy = ''] = row.split('|').map((text) => text.trim());
      const hint = { reason: reason.replaceAll('`', ''), remedy: remedy.replaceAll('`', '') };
      return [...codes.matchAll(/`([^`]+)`/g)].map(([, code = '']): [string, object] => [code, hint]);
    });
  expect(documented).toHaveLength(dataFaultCodes.length);
  expect(Object.fromEntries(documented)).toStrictEqual(codeHints);
});

it('an unknown code has no hint, even if objects have a field of that name', () => {
  expect(hintFor('nonsense')).toBe(null);
  expect(hintFor('constructor')).toBe(null);
});
