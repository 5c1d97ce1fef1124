import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';
import { documentedMetrics } from '../../../tools/smoke/observation.ts';

/** The names before a unit: `addMetric('Name', MetricUnit.Count, …)`, or a table. */
async function emittedNames(folder: string): Promise<readonly string[]> {
  const root = path.join(projectRoot, folder);
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map((file) => readFile(path.join(root, file), 'utf8')));
  return texts.flatMap((text) => [...text.matchAll(/'([A-Z]\w+)',\s*MetricUnit\./g)].map(([, name = '']) => name));
}

it('the table in docs/reference/metrics.md has exactly the metrics of the functions', async () => {
  const emitted = new Set([...(await emittedNames('functions')), ...(await emittedNames('lib'))]);
  const documented = await documentedMetrics();
  expect(emitted.size).toBeGreaterThan(20);
  expect([...documented].sort()).toStrictEqual([...emitted].sort());
});
