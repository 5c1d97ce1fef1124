/** Formats a duration for people, in at most two units. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/**
 * "420 ms", "2.1 s", "3 min 5 s", "2 h 5 min", "3 d 4 h". A negative duration (the clocks differ)
 * is "0 ms".
 */
export function durationText(millis: number): string {
  const whole = Math.max(0, Math.round(millis));
  if (whole < 1_000) return `${whole} ms`;
  if (whole < 9_950) return `${(whole / 1_000).toFixed(1)} s`;
  // Round to whole seconds first: 59.7 s is a minute, not 60 s.
  const seconds = Math.round(whole / 1_000) * 1_000;
  const largest = units.findIndex(([, size]) => seconds >= size);
  const [[unit, size], next] = [units[largest] ?? (['s', 1_000] as const), units[largest + 1]];
  const first = `${Math.floor(seconds / size)} ${unit}`;
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1]);
  return next === undefined || rest === 0 ? first : `${first} ${rest} ${next[0]}`;
}
