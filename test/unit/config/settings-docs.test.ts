import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { envExample, envFile, readmeFile, readmeWithTable } from '../../../infra/settings-docs.ts';

it("the README's table of settings and .env.example are those of the code: npm run settings", () => {
  const readme = readFileSync(readmeFile, 'utf8');
  expect(readme).toBe(readmeWithTable(readme));
  expect(readFileSync(envFile, 'utf8')).toBe(envExample());
});
