/** Formats numbers and times. */

const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

/** "1,204". */
export function count(value: number): string {
  return numbers.format(value);
}

/** "1 event", "1,204 events". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A duration with suitable precision: "12 ms", "3.4 s", "5 min", "2 h 5 min", "3 days". */
export function duration(millis: number): string {
  const seconds = millis / 1000;
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  if (seconds < 10) return `${numbers.format(seconds)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** "5 min ago", "in 12 s", "just now". */
export function relative(at: string, now: string): string {
  const millis = Date.parse(now) - Date.parse(at);
  if (Math.abs(millis) < 2_000) return 'just now';
  return millis > 0 ? `${duration(millis)} ago` : `in ${duration(-millis)}`;
}

/** "14:03:22". */
export function timeOfDay(at: string | number): string {
  return clock.format(new Date(at));
}

/** "25 Nov 2026, 14:03:22 UTC". */
export function absolute(at: string): string {
  return moment.format(new Date(at));
}
