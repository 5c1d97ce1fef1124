/** The inputs of `npm start`, and how they are selected. */
import { InvalidArgumentError } from 'commander';

/** The names on the command line, in the order in which the inputs run. */
export const inputNames = ['holidays', 'calendars', 'code'] as const;

export type InputName = (typeof inputNames)[number];

/** The inputs that run by default: all that do not need Debian. */
export const defaultInputs: readonly InputName[] = ['holidays', 'code'];

/**
 * Reads one `--input`, which may list several names separated by commas, and adds them to the
 * earlier ones.
 *
 * @throws InvalidArgumentError that lists the names.
 */
export function addInputs(text: string, earlier: readonly InputName[] | undefined): readonly InputName[] {
  const given = text.split(',').map((name) => name.trim());
  const chosen = new Set<string>([...given, ...(earlier ?? [])]);
  for (const name of chosen) {
    if (!(inputNames as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`"${name}" is not an input; choose from ${inputNames.join(', ')}.`);
    }
  }
  return inputNames.filter((name) => chosen.has(name));
}
