/** Colours on a terminal. */
import { styleText } from 'node:util';

export type Paint = (colour: Parameters<typeof styleText>[0], text: string) => string;

/** Whether a terminal wants colours: without NO_COLOR (https://no-color.org). */
export function wantsColour(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  return isTerminal && !environment.NO_COLOR;
}

export function painter(hasColour: boolean): Paint {
  return (colour, text) => (hasColour ? styleText(colour, text, { validateStream: false }) : text);
}
