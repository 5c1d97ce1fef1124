/**
 * The input `holidays`: 628 holiday calendars of 2024, updated to 2025. They are also written the
 * way that XMem writes them today.
 */
import { listRegions, readRegion } from './holidays.ts';
import type { Job } from './job.ts';
import { isInStep, runMemoryInput } from './memory-job.ts';
import { summaryText } from './summary.ts';
import { countWrites, writeHolidays } from './write-holidays.ts';
import { writeEventsAsXmem, xmemEventsText } from './xmem/write-events.ts';

const smallRegions = 20;

export const runHolidays: Job = async (context) => {
  const { client, db, driver, neo4jDatabase, signal } = context;
  const regions = listRegions(context.small ? smallRegions : undefined).map(readRegion);
  const summary = await runMemoryInput(context, {
    input: 'holidays',
    calendars: regions.length,
    writes: countWrites(regions),
    write: (progress) => writeHolidays(client, db, regions, progress, signal),
  });
  const xmem = await writeEventsAsXmem(driver, neo4jDatabase, regions, signal);
  return {
    equal: isInStep(summary),
    text: `${summaryText(summary)}${xmemEventsText(xmem)}`,
    summary: { ...summary, xmem },
  };
};
