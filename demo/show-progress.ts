/**
 * Shows the progress of the main job: as a bar on a terminal, otherwise as a line every few
 * seconds.
 */
import cliProgress from 'cli-progress';

/** The progress at one moment. */
export interface JobProgress {
  readonly written: number;
  readonly applied: number;
  readonly pending: number;
  /** Age of the oldest pending event, in seconds. */
  readonly lagSeconds: number;
}

export interface ProgressDisplay {
  readonly update: (progress: JobProgress) => void;
  readonly end: () => void;
}

const lineMillis = 5_000;

/** @param writes the number of documents to write. */
export function showProgress(writes: number): ProgressDisplay {
  return process.stderr.isTTY ? showBar(writes) : showLines(writes);
}

function showBar(writes: number): ProgressDisplay {
  const bar = new cliProgress.SingleBar({
    format: '  {bar} {value}/{total} documents | {applied} events applied | {pending} pending | lag {lag} s',
    stream: process.stderr,
    hideCursor: true,
  });
  bar.start(writes, 0, { applied: 0, pending: 0, lag: '0.0' });
  return {
    update: ({ written, applied, pending, lagSeconds }) =>
      bar.update(written, { applied, pending, lag: lagSeconds.toFixed(1) }),
    end: () => bar.stop(),
  };
}

function showLines(writes: number): ProgressDisplay {
  let shownAt = 0;
  return {
    update: ({ written, applied, pending, lagSeconds }) => {
      if (performance.now() - shownAt < lineMillis) return;
      shownAt = performance.now();
      process.stderr.write(
        `  ${written}/${writes} documents, ${applied} events applied, ` +
          `${pending} pending, lag ${lagSeconds.toFixed(1)} s\n`,
      );
    },
    end: () => undefined,
  };
}
