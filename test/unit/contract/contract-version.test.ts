import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { contractVersion } from '../../../lib/contract/outbox-event.ts';
import { projectRoot } from '../../../tools/local/paths.ts';

it.each([
  ['writers/python/src/outgraph_writer/event.py', /^CONTRACT_VERSION: Final = (\d+)$/m],
  ['writers/go/event.go', /^const ContractVersion = (\d+)$/m],
  ['writers/typescript/README.md', /version (\d+) of the \[contract\]/],
  ['writers/python/README.md', /version (\d+) of the \[contract\]/],
  ['writers/go/README.md', /version (\d+) of the \[contract\]/],
  ['docs/reference/contract.md', /This is version (\d+) of the contract/],
])('is the same in %s', (file, stated) => {
  expect(Number(stated.exec(readFileSync(path.join(projectRoot, file), 'utf8'))?.[1])).toBe(contractVersion);
});
