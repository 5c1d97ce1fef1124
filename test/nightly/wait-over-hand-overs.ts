/**
 * Hand-overs from one publisher to the next: no event waits while one stops and another takes over.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { until } from '../failures/rows/row.ts';
import type { FailureStack } from '../support/failure-stack.ts';
import { upsertEvent } from '../support/outbox-event.ts';

const eventsPerSecond = 50;
const handOvers = 5;

/**
 * As in production, but a sixth of the time: the next publisher starts before the last one's time
 * is up.
 */
const timeoutSeconds = 20;
const startEveryMillis = 8_000;

/** The longest time that an event may wait to be sent. */
const maxWaitMillis = 5_000;

/**
 * Writes at a steady rate while publishers follow each other, and checks the longest time that an
 * event waited to be sent.
 */
export async function waitOverHandOvers(stack: FailureStack): Promise<void> {
  await stack.functions.configure('publisher', { timeoutSeconds });
  const written = new Map<string, number>();
  let over = false;
  const starting = (async () => {
    while (!over) {
      await stack.functions.start('publisher');
      const next = performance.now() + startEveryMillis;
      while (performance.now() < next && !over) await sleep(100);
    }
  })();
  try {
    // From here on, publishers follow each other. The previous one ended with its new settings.
    const runsAtFirst = await countRuns(stack);
    await until('a hand-over', async () => (await countRuns(stack)) > runsAtFirst);
    const runsBefore = await countRuns(stack);
    const takenBefore = stack.bus.taken.length;
    await writeUntil(stack, written, async () => (await countRuns(stack)) - runsBefore >= handOvers);
    const sentAt = () =>
      new Map(
        stack.bus.taken
          .slice(takenBefore)
          .flatMap(({ eventIds, takenAt }) => eventIds.map((eventId) => [eventId, takenAt] as const)),
      );
    await until('every event to be sent', () => [...written.keys()].every((id) => sentAt().has(id)));
    const sent = sentAt();
    const waits = [...written].map(([id, createdAt]) => (sent.get(id) ?? Number.POSITIVE_INFINITY) - createdAt);
    process.stderr.write(`  ${waits.length} events, the longest wait ${Math.max(...waits)} ms\n`);
    expect(Math.max(...waits)).toBeLessThan(maxWaitMillis);
  } finally {
    over = true;
    await starting;
    await stack.functions.configure('publisher', { timeoutSeconds: 80 });
    await stack.functions.start('publisher');
  }
}

/** Counts the publishers that ended normally. */
async function countRuns(stack: FailureStack): Promise<number> {
  const lines = await stack.functions.logLines('publisher');
  return lines.filter(({ message, outcome }) => message === 'publisher finished' && outcome === 'handed-over').length;
}

async function writeUntil(
  stack: FailureStack,
  written: Map<string, number>,
  isOver: () => Promise<boolean>,
): Promise<void> {
  const startedAt = performance.now();
  const writes: Promise<unknown>[] = [];
  while (!(writes.length % eventsPerSecond === 0 && (await isOver()))) {
    const event = upsertEvent({ nodes: [], relationships: [] });
    written.set(event._id.toHexString(), event.createdAt.getTime());
    writes.push(stack.outbox.insertOne(event, { writeConcern: { w: 'majority' } }));
    await sleep(Math.max(0, startedAt + (writes.length * 1_000) / eventsPerSecond - performance.now()));
  }
  await Promise.all(writes);
  // The writes did reach the rate.
  expect(writes.length).toBeGreaterThan(((performance.now() - startedAt) / 1_000) * eventsPerSecond * 0.9);
}
