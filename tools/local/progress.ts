/** Progress messages on stderr, so that stdout remains free for output that programs read. */

/** Runs one step of a longer task and reports how long it took. */
export type RunStep = <Result>(title: string, step: () => Promise<Result>) => Promise<Result>;

/** Prints a line when a step begins, and its duration when it is done. */
export const printStep: RunStep = async (title, step) => {
  const startedAt = performance.now();
  process.stderr.write(`  ${title} …\n`);
  const result = await step();
  process.stderr.write(`  ${title}: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  return result;
};
