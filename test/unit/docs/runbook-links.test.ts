/**
 * Each alarm ends with a link to its section of the run book, which exists under the alarm's name.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';

const infra = path.join(projectRoot, 'infra');
const files = readdirSync(infra, { recursive: true, encoding: 'utf8' }).filter((name) => /alarms\.yml$/.test(name));
const text = files.map((name) => readFileSync(path.join(infra, name), 'utf8')).join('\n');
const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
const names = all(/^ +AlarmName: \$\{self:service\}-\$\{sls:stage\}-(.+)$/gm);

/** The anchors of the headings. */
function anchors(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

it('every alarm ends with a link to the section with its name', () => {
  expect(names.length).toBeGreaterThan(10);
  expect(all(/Run book: \$\{param:runbookUrl\}#([a-z-]+)$/gm)).toStrictEqual(names);
});

it.each(names)('the run book has a section for the alarm %s', (name) => {
  expect(anchors(readFileSync(path.join(projectRoot, 'docs/runbook.md'), 'utf8'))).toContain(name);
});
