/** What is shipped for Prometheus names only metrics and sections that exist. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { createMetrics } from '../../../lib/worker/metrics.ts';
import { projectRoot } from '../../../tools/local/paths.ts';

const read = (file: string) => readFile(path.join(projectRoot, file), 'utf8');

it.each(['alerts.yml', 'dashboard.json'])('%s names only metrics that the worker has', async (file) => {
  const { registry } = createMetrics(() => {
    throw new Error('not collected');
  });
  const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  const named = [...(await read(`infra/prometheus/${file}`)).matchAll(/\boutgraph_\w+/g)].map(([name]) =>
    name.replace(/_bucket$/, ''),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !known.has(name))).toStrictEqual([]);
});

it('each alert links to a section of the run book, and is in the table of the guide with this link', async () => {
  const [rules, runbook, guide] = await Promise.all([
    read('infra/prometheus/alerts.yml'),
    read('docs/runbook.md'),
    read('docs/how-to/watch-the-worker.md'),
  ]);
  const alerts = [...rules.matchAll(/alert: (\w+)[\s\S]*?runbook_url: docs\/runbook\.md#([\w-]+)/g)];
  expect(alerts).toHaveLength([...rules.matchAll(/alert: /g)].length);
  for (const [, alert, section] of alerts) {
    expect(runbook).toContain(`\n### ${section}\n`);
    expect(guide).toContain(`[${alert}](../runbook.md#${section})`);
  }
});
