import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { envExample, envFile, pageFile, pageWithTable } from '../../../tools/settings-docs.ts';

it('docs/reference/settings.md and .env.example are up to date (npm run settings)', () => {
  const page = readFileSync(pageFile, 'utf8');
  expect(page).toBe(pageWithTable(page));
  expect(readFileSync(envFile, 'utf8')).toBe(envExample());
});
