/**
 * The consumer processes large events in chunks: a batch of them neither crashes its process nor
 * takes more than half of its function's memory.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Document } from 'mongodb';
import { expect } from 'vitest';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { upsertEvent } from '../support/outbox-event.ts';
import { it, settingsOf } from '../support/site.ts';

/** `consumerMemoryMegabytes` in infra/params.yml. */
const functionMegabytes = 1_024;
const nodesPerEvent = 10;

it.for([
  ['1,000 events of 100 kB', 1_000, 100_000],
  ['60 events of 10 MB', 60, 10_000_000],
  ['25 events of 12 MB', 25, 12_000_000],
] as const)(
  '%s are applied in one batch with less than half of the memory of the function',
  { timeout: 900_000 },
  async ([, count, bytes], { site }) => {
    const outbox = site.database.db.collection<Document>(outboxCollection);
    const text = 'x'.repeat(bytes / nodesPerEvent);
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const id = `${bytes}-${index}`;
      const nodes = Array.from({ length: nodesPerEvent }, (_, place) => {
        return { label: 'Large', key: { id: `${id}-${place}` }, properties: { text } };
      });
      const event = upsertEvent({ nodes, relationships: [] }, { aggregateId: id });
      await outbox.insertOne(event);
      ids.push(String(event._id));
    }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [path.join(projectRoot, 'test/nightly/consume-process.ts'), ...ids],
      { env: { ...process.env, ...settingsOf(site.database, site.graph) } },
    );
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ applied: count, failed: 0, dead: 0 });
    expect(report.peakMegabytes).toBeLessThan(functionMegabytes / 2);
  },
);
