/**
 * Runs the inputs that are dated events of users: writes them, waits until the outbox is drained,
 * and compares the graph with the documents.
 */
import { compareGraph } from './compare-graph.ts';
import type { JobContext } from './job.ts';
import { countApplied, readLag, readOutboxFigures } from './outbox-figures.ts';
import { showProgress } from './show-progress.ts';
import type { MemorySummary } from './summary.ts';
import { untilDrained, type WritingProgress } from './until-drained.ts';

/** The documents to write. */
export interface MemoryInput {
  readonly input: string;
  /** The number of calendars. Each calendar is a user. */
  readonly calendars: number;
  /** The number of writes. */
  readonly writes: number;
  readonly write: (progress: WritingProgress) => Promise<void>;
}

/** Runs an input. Compares with all documents, including those of earlier inputs. */
export async function runMemoryInput(context: JobContext, given: MemoryInput): Promise<MemorySummary> {
  const { db, outbox, driver, neo4jDatabase, logsFolder, consumer, signal } = context;
  // Before the consumer has run, there is no log.
  const appliedBefore = (await countApplied(outbox, logsFolder, consumer)) ?? 0;
  const filter = { createdAt: { $gte: new Date() } };
  const startedAt = performance.now();
  const progress: WritingProgress = { written: 0, pending: 0 };
  const display = showProgress(given.writes);
  await untilDrained({ outbox, writing: given.write(progress), shown: { progress, display }, signal });
  const seconds = (performance.now() - startedAt) / 1000;

  const figures = await readOutboxFigures(outbox, filter);
  const appliedAfter = await countApplied(outbox, logsFolder, consumer);
  const applied = appliedAfter === null ? null : appliedAfter - appliedBefore;
  return {
    input: given.input,
    calendars: given.calendars,
    documents: progress.written,
    ...figures,
    applied,
    superseded: applied === null ? null : figures.processed - applied,
    seconds,
    eventsPerSecond: figures.processed / seconds,
    lagMillis: await readLag(outbox, filter),
    ...(await compareGraph(db, driver, neo4jDatabase)),
  };
}

/** Whether the graph equals the expected one, and no event is pending or dead. */
export function isInStep({ differences, dead, pending }: MemorySummary): boolean {
  return differences.length === 0 && dead === 0 && pending === 0;
}
