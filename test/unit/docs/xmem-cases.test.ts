/** xmem/README.md lists every test of XMem's cases by its title, and every case has a test. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';
import { bareSymbolsStatement } from '../../support/xmem/bare-symbols.ts';

const page = readFileSync(path.join(projectRoot, 'xmem/README.md'), 'utf8');

function titlesIn(folder: string): readonly string[] {
  const files = readdirSync(path.join(projectRoot, folder)).map((name) => path.join(projectRoot, folder, name));
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(['"])((?:N\d+|O): .*?)\1/g)].map(([, , title = '']) => title),
  );
}

/** The items of the list of tests, with wrapped lines joined. */
const rows = [...page.matchAll(/^- ((?:N\d+|O): .*(?:\n {2}.*)*)$/gm)].map(([, item = '']) =>
  item.replaceAll('\n  ', ' '),
);

it('the page lists the tests by their titles', () => {
  const inPage = (title: string) => title.replace('%o', '…');
  const titles = [
    ...titlesIn('test/end-to-end/xmem').map(inPage),
    ...titlesIn('test/failures/xmem').map((title) => `${inPage(title)} †`),
  ];
  expect([...rows].sort()).toStrictEqual([...titles].sort());
});

it('every case has a test', () => {
  const cases = new Set(rows.map((row) => row.split(':')[0]));
  expect(cases).toStrictEqual(new Set([...Array.from({ length: 16 }, (_, index) => `N${index + 1}`), 'O']));
});

it('the page shows the query that counts bare symbols', () => {
  expect(page).toContain(bareSymbolsStatement);
});
