/**
 * Measures how fast the deployed path drains a backlog: from inserting all events at once until all
 * of them are in the graph. With packs, and with single pointers in batches of a suitable size.
 */
import { MongoClient } from 'mongodb';
import { outboxCollection } from '../../lib/contract/outbox-event.ts';
import { inChunks } from '../../lib/runtime/in-chunks.ts';
import { DeployedFunctions } from '../../test/support/deployed-functions.ts';
import type { Stack } from '../../tools/local/stack.ts';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { SymbolGraph, symbolRows } from '../symbols.ts';
import { applyPackSettings, localPackSettings } from './pack-settings.ts';

/** Events per second, from the first insert to the last acknowledgement. */
export interface DrainRates {
  readonly packed: number;
  readonly single: number;
}

/** Single pointers are so slow that fewer events suffice. */
const variants = {
  packed: { settings: localPackSettings, events: 20_000 },
  single: {
    settings: { ...localPackSettings, pointersPerEntry: 1, batchSize: 1_000, batchWindowSeconds: 1 },
    events: 4_000,
  },
};

const insertChunk = 5_000;

/** Needs a stack on which nothing else runs. Leaves its functions as they were. */
export async function measureDrain({ description, logsFolder }: Stack): Promise<DrainRates> {
  const { awsEndpointUrl, awsRegion, functions: names, mongodbUri, mongodbDatabase } = description;
  const functions = new DeployedFunctions(awsEndpointUrl, awsRegion, names, logsFolder);
  const client = new MongoClient(mongodbUri);
  const outbox = client.db(mongodbDatabase).collection(outboxCollection);
  const graph = new SymbolGraph();

  const drain = async (group: string, count: number): Promise<number> => {
    const events = symbolRows(group, count).map((row) => graph.event(row));
    const first = graph.aggregateId(`${group}-`);
    const ofGroup = { aggregateId: { $gte: first, $lt: `${first}:` } };
    const startedAt = performance.now();
    for (const chunk of inChunks(events, insertChunk)) await outbox.insertMany([...chunk]);
    const isPending = async () => (await outbox.findOne({ ...ofGroup, status: 'pending' })) !== null;
    await waitUntil(async () => !(await isPending()) || undefined, {
      timeoutSeconds: 300,
      pollMillis: 100,
      what: `the path to drain ${count} events`,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const processed = await outbox.countDocuments({ ...ofGroup, status: 'processed' });
    if (processed !== count) throw new Error(`Of ${count} events only ${processed} were applied: see ${logsFolder}.`);
    return count / seconds;
  };
  const measure = async (variant: keyof typeof variants): Promise<number> => {
    const { settings, events } = variants[variant];
    await applyPackSettings(functions, settings);
    await drain(`warm-${variant}`, 200);
    return drain(variant, events);
  };
  try {
    return { single: await measure('single'), packed: await measure('packed') };
  } finally {
    functions.close();
    await client.close();
  }
}
