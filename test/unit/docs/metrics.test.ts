import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createMetrics, instruments } from '../../../lib/worker/metrics.ts';
import { projectRoot } from '../../../tools/local/paths.ts';
import { documentedMetrics } from '../../../tools/smoke/observation.ts';

const page = await readFile(path.join(projectRoot, 'docs/reference/metrics.md'), 'utf8');

/** The names in the first two columns of each row: in CloudWatch, and in Prometheus. */
function documentedNames(): readonly (readonly [string, string])[] {
  const table = page.slice(page.indexOf('| CloudWatch |')).split('\n\n')[0] ?? '';
  return table.split('\n').flatMap((row) => {
    const [, cloudWatch = '', prometheus = ''] = row.split(/(?<!\\)\|/);
    const name = /^ `(\w+)` $/.exec(cloudWatch)?.[1];
    return name === undefined ? [] : [[name, /^ `(outgraph_\w+)` $/.exec(prometheus)?.[1] ?? ''] as const];
  });
}

it('the table in docs/reference/metrics.md has exactly the metrics of the code, with both names', async () => {
  const emitted = Object.entries(instruments).map(([name, instrument]) => [name, instrument?.name ?? '']);
  expect([...documentedNames()].sort()).toStrictEqual(emitted.sort());
  expect([...(await documentedMetrics())].sort()).toStrictEqual(Object.keys(instruments).sort());
});

it("docs/reference/metrics.md names every metric of the worker's own", async () => {
  const { registry } = createMetrics(() => {
    throw new Error('not collected');
  });
  const names = registry.getMetricsAsArray().map(({ name }) => name);
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toStrictEqual([]);
});
