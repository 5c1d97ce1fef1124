/** The inputs that `npm start` can take, and how they are chosen. */
import { InvalidArgumentError } from 'commander';

/** By their names on the command line, in the order in which they run. */
export const inputNames = ['holidays', 'calendars', 'code'] as const;

export type InputName = (typeof inputNames)[number];

/** What runs where nothing is said: all that does not need Debian. */
export const defaultInputs: readonly InputName[] = ['holidays', 'code'];

/**
 * Reads one `--input`, which may name several with commas, and adds them to those of earlier ones.
 *
 * @throws InvalidArgumentError that lists the names.
 */
export function addInputs(text: string, earlier: readonly InputName[] | undefined): readonly InputName[] {
  const given = text.split(',').map((name) => name.trim());
  const chosen = new Set<string>([...given, ...(earlier ?? [])]);
  for (const name of chosen) {
    if (!(inputNames as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`"${name}" is no input; there are ${inputNames.join(', ')}.`);
    }
  }
  return inputNames.filter((name) => chosen.has(name));
}
