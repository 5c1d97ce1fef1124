/** Finds misspelt environment variables, which would silently leave a default in place. */
import { type Environment, settings } from './settings.ts';

/** A variable that no part reads. */
export interface UnknownSetting {
  readonly name: string;
  /** The setting that its name resembles and that is not set; null if there is none. */
  readonly meant: string | null;
}

const names = Object.keys(settings.shape);

/** First words of settings. OpenTelemetry has many more variables than outgraph reads. */
const prefixes = new Set(names.map(firstWord).filter((word) => word !== 'OTEL'));

/** Returns variables that resemble a setting or begin with its first word, but are not one. */
export function unknownSettings(environment: Environment): readonly UnknownSetting[] {
  return Object.keys(environment)
    .filter((name) => environment[name] !== undefined && !names.includes(name))
    .map((name) => ({
      name,
      meant: names.find((known) => environment[known] === undefined && isClose(name, known)) ?? null,
    }))
    .filter(({ name, meant }) => meant !== null || prefixes.has(firstWord(name)))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** "MONGODB_DATABSE (did you mean MONGODB_DATABASE?)": never a value. */
export function unknownSettingsText(unknown: readonly UnknownSetting[]): string {
  return unknown.map(({ name, meant }) => (meant === null ? name : `${name} (did you mean ${meant}?)`)).join(', ');
}

function firstWord(name: string): string {
  return name.split('_')[0] ?? name;
}

/** One or two letters wrong, missing or swapped; or truncated, such as NEO4J_USER. */
function isClose(name: string, known: string): boolean {
  const upper = name.toUpperCase();
  if (upper === known) return true;
  if (firstWord(upper) === firstWord(known) && upper.length > firstWord(known).length + 1 && known.startsWith(upper))
    return true;
  return known.includes('_') && distance(upper, known) <= 2;
}

/** The number of letters to insert, remove or replace. */
function distance(left: string, right: string): number {
  let before = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...left].entries()) {
    const now = [row + 1];
    for (const [column, other] of [...right].entries())
      now.push(
        Math.min(
          (now[column] ?? 0) + 1,
          (before[column + 1] ?? 0) + 1,
          (before[column] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    before = now;
  }
  return before[right.length] ?? 0;
}
