/**
 * Shows the progress of a long command on one line of a terminal, with its rate and the remaining
 * time.
 */

/** Receives the amount done so far. */
export type ShowProgress = (done: number) => void;

interface Screen {
  readonly isTTY?: boolean;
  readonly write: (text: string) => unknown;
}

const everyMillis = 500;

/** Progress is for people. In a file, it is noise. */
export function isWanted(screen: Screen): boolean {
  return screen.isTTY === true;
}

/** Shows progress towards a total; null if the total is unknown. */
export function showProgress(screen: Screen, total: number | null, what: string): ShowProgress {
  const startedAt = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  let first: number | null = null;
  return (done) => {
    first ??= done;
    const now = performance.now();
    if (now - shownAt < everyMillis && done !== total) return;
    shownAt = now;
    screen.write(`\r\u001b[K  ${progressText(done, total, what, (done - first) / ((now - startedAt) / 1_000))}`);
    if (done === total) screen.write('\n');
  };
}

/** "1,200 of 5,000 events, 480 a second, 8 s left". */
export function progressText(done: number, total: number | null, what: string, perSecond: number): string {
  const parts = [total === null ? `${format(done)} ${what}` : `${format(done)} of ${format(total)} ${what}`];
  if (perSecond > 0) {
    parts.push(`${format(Math.round(perSecond))} a second`);
    if (total !== null && total > done) parts.push(`${format(Math.ceil((total - done) / perSecond))} s left`);
  }
  return parts.join(', ');
}

function format(value: number): string {
  return value.toLocaleString('en-US');
}
