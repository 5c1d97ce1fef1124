/** Progress for people, on stderr, so that stdout stays free for what programs read. */

/** Runs one step of a longer way, and says how long it took. */
export type RunStep = <Result>(title: string, step: () => Promise<Result>) => Promise<Result>;

/** Prints a line when a step begins, and how long it took when it is done. */
export const printStep: RunStep = async (title, step) => {
  const startedAt = performance.now();
  process.stderr.write(`  ${title} …\n`);
  const result = await step();
  process.stderr.write(`  ${title}: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  return result;
};
