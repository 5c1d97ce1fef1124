/** The worker's log for a person at a terminal: one line of text for each entry. */
import { Logger, type LogItem } from '@aws-lambda-powertools/logger';
import { printable } from '../../lib/contract/printable.ts';
import { type Paint, painter, wantsColour } from '../terminal/colour.ts';
import type { Shell } from '../terminal/shell.ts';

/** A logger with the levels and settings of Powertools that prints text on stdout. */
export function terminalLogger({ environment, stdout }: Pick<Shell, 'environment' | 'stdout'>): Logger {
  const paint = painter(wantsColour(environment, stdout.isTTY === true));
  // The constructor may already print.
  class TerminalLogger extends Logger {
    protected override printLog(_: number, entry: LogItem): void {
      entry.prepareForPrint();
      stdout.write(`${logLine(entry.getAttributes(), paint)}\n`);
    }
  }
  return new TerminalLogger({ serviceName: 'outgraph-worker' });
}

const colours = { DEBUG: 'dim', INFO: 'green', WARN: 'yellow', ERROR: 'red', CRITICAL: 'red' } as const;

/** "07:14:27.123Z warn   event failed: Neo4j … type=order id=17": time, level, what, why, and the rest. */
export function logLine(entry: Readonly<Record<string, unknown>>, paint: Paint): string {
  const { timestamp, level, message, reason, service: _, sampling_rate: __, ...rest } = entry;
  const colour = colours[String(level) as keyof typeof colours] ?? 'dim';
  const what = printable(typeof reason === 'string' ? `${message}: ${reason}` : String(message));
  const fields = Object.entries(rest).map(([name, value]) => `${name}=${fieldText(value)}`);
  return [
    paint('dim', String(timestamp).slice(String(timestamp).indexOf('T') + 1)),
    paint(colour, String(level).toLowerCase().padEnd(5)),
    what,
    ...(fields.length === 0 ? [] : [paint('dim', fields.join(' '))]),
  ].join(' ');
}

/** Quoted if it is not a single word. */
function fieldText(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return printable(typeof value === 'string' && !/^[\w.:/@+-]+$/.test(text) ? JSON.stringify(text) : text);
}
