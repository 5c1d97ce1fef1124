/** The exit codes of the commands. */
export const exitCodes = {
  /** Done, or equal. */
  done: 0,
  failed: 1,
  wrongUse: 2,
  refused: 3,
  different: 4,
  interrupted: 130,
  terminated: 143,
} as const;

/** For a command's help. `meanings` replaces the usual meaning of a code. */
export function exitCodesText(meanings: Partial<Record<keyof typeof exitCodes, string>> = {}): string {
  const lines = Object.entries({ ...usualMeanings, ...meanings }).map(
    ([name, meaning]) => `  ${String(exitCodes[name as keyof typeof exitCodes]).padEnd(3)}  ${meaning}`,
  );
  return ['', 'Exit codes:', ...lines].join('\n');
}

const usualMeanings = {
  done: 'done',
  failed: 'failed: a server did not answer, or nothing was found',
  wrongUse: 'wrong use or settings',
  refused: 'refused: not confirmed, or not safe',
  different: 'the graph differs from the documents, or is out of step',
  interrupted: 'interrupted by Ctrl-C; run it again to continue',
  terminated: 'the same by SIGTERM',
};
