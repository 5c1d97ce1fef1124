/**
 * Reads a calendar file of the BSD command calendar(1). An event is a line that starts with a fixed
 * day of the year, and the indented lines below it, which continue its text. The day is a month and
 * day in digits, or has the month's English name before or after the day. Comments, settings and
 * directives of the preprocessor are skipped (an included file has its own calendar). Days that are
 * set by a rule or named in another language are skipped too, and counted.
 */

/** An event in a file. */
export interface FileEvent {
  /** "MM-DD". */
  readonly date: string;
  readonly text: string;
  /** The year at the end of the text, as in "born, 1867". */
  readonly year: number | null;
  /** The date as it is written; with "*" if it differs from year to year. */
  readonly written: string;
}

/** A file's events, in the order of the file. */
export interface ParsedCalendar {
  readonly events: readonly FileEvent[];
  /** The number of entries whose day is not fixed or not readable. */
  readonly leftOut: number;
}

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const monthNames = 'january february march april may june july august september october november december'.split(' ');

/** Parses the text of one file. */
export function parseCalendar(text: string): ParsedCalendar {
  const events: FileEvent[] = [];
  let leftOut = 0;
  for (const entry of entriesOf(text)) {
    const event = readEntry(entry);
    if (event === undefined) leftOut += 1;
    else events.push(event);
  }
  return { events, leftOut };
}

/** Lines with content, each with the indented lines that continue it. */
function entriesOf(text: string): readonly string[] {
  const entries: string[] = [];
  for (const line of text.replaceAll(/\/\*[\s\S]*?\*\//g, '').split(/\r?\n/)) {
    if (line.trim() === '' || line.startsWith('#') || /^\w+=/.test(line)) continue;
    const last = entries.length - 1;
    if (line.startsWith('\t') && last >= 0) entries[last] += ` ${line.trim()}`;
    else entries.push(line.trim());
  }
  return entries;
}

function readEntry(entry: string): FileEvent | undefined {
  const digits = /^(\d{1,2})\/(\d{1,2})\*?\s+(.+)$/.exec(entry);
  const nameFirst = /^([a-z]{3,9})[ /]+(\d{1,2})\*?\s+(.+)$/i.exec(entry);
  const dayFirst = /^(\d{1,2})[ /]+([a-z]{3,9})\*?\s+(.+)$/i.exec(entry);
  if (digits !== null) return event(entry, Number(digits[1]), Number(digits[2]), digits[3]);
  if (nameFirst !== null) return event(entry, monthOf(nameFirst[1]), Number(nameFirst[2]), nameFirst[3]);
  if (dayFirst !== null) return event(entry, monthOf(dayFirst[2]), Number(dayFirst[1]), dayFirst[3]);
  return undefined;
}

/** Undefined if there is no such day. */
function event(entry: string, month: number, day: number, text = ''): FileEvent | undefined {
  if (!(day >= 1 && day <= (daysInMonth[month - 1] ?? 0))) return undefined;
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  const year = /[, ](\d{3,4})$/.exec(text)?.[1];
  return {
    date: `${twoDigits(month)}-${twoDigits(day)}`,
    text,
    year: year === undefined ? null : Number(year),
    written: entry.slice(0, entry.length - text.length).trim(),
  };
}

/**
 * The number of a month, from 1; 0 if the name is not a month. Needs at least the first three
 * letters.
 */
function monthOf(name = ''): number {
  return monthNames.findIndex((month) => month.startsWith(name.toLowerCase())) + 1;
}
