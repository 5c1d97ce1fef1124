/** Shared by all operator commands: interruption, confirmation before a change, and output. */
import { type Command, InvalidArgumentError } from 'commander';
import { describeError } from '../../lib/contract/fault.ts';
import type { GraphAddress } from '../../lib/runtime/addresses.ts';
import { databaseSettings } from '../../lib/runtime/settings.ts';
import { exitCodes, exitCodesText } from '../exit-codes.ts';
import { isWanted, type ShowProgress, showProgress } from './progress.ts';
import { readSettingsOrExit } from './read-settings.ts';
import { Exit, type Shell } from './shell.ts';

/** Options of the commands that change data. */
export interface ChangeOptions {
  readonly yes?: true;
  readonly json?: true;
  readonly rate: number;
}

/** A command's answer, for people and for programs. */
export interface Answer {
  /** `wrong` exits like `failed`; `unusable` exits like wrong settings. */
  readonly outcome: 'done' | 'equal' | 'different' | 'interrupted' | 'wrong' | 'unusable';
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Thrown to end a command that is not confirmed or not safe. */
export class Refusal extends Error {
  /** For programs: the work done before the refusal. */
  readonly facts: Answer['facts'];

  constructor(message: string, facts: Answer['facts'] = {}) {
    super(message);
    this.facts = facts;
  }
}

export interface Terminal {
  readonly signal: AbortSignal;
  /** @throws Refusal unless the answer is yes. */
  readonly confirm: (plan: string) => Promise<void>;
  /** For people, on stderr. */
  readonly say: (text: string) => void;
  readonly showProgress: (total: number | null, what: string) => ShowProgress;
}

/**
 * Adds `--rate`, `--yes` and `--json`.
 *
 * @param rate a default that depends on other options is text, which is only shown.
 */
export function addChangeOptions(
  command: Command,
  rate: { readonly default: number | string; readonly what: string },
): Command {
  const isShown = typeof rate.default === 'string';
  const description = `at most this many ${rate.what} a second${isShown ? ` (default: ${rate.default})` : ''}`;
  return command
    .option<number | undefined>('--rate <number>', description, positive, isShown ? undefined : Number(rate.default))
    .option('--yes', 'do not ask')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', exitCodesText());
}

const exitCodeOf = {
  ...exitCodes,
  equal: exitCodes.done,
  wrong: exitCodes.failed,
  unusable: exitCodes.wrongUse,
} as const;

/** Runs a command and prints its answer. @throws Exit unless the outcome is `done` or `equal`. */
export async function runCommand(
  shell: Shell,
  { yes, json }: Pick<ChangeOptions, 'yes' | 'json'>,
  work: (terminal: Terminal) => Promise<Answer>,
): Promise<void> {
  const screen = createScreen(shell);
  const say = (text: string) => screen.write(`${screen.endLine()}${text}\n`);
  try {
    const answer = await work({
      signal: shell.signal,
      say,
      confirm: (plan) => confirm(shell, `${screen.endLine()}${plan}`, yes === true),
      showProgress: (total, what) => (isWanted(screen) ? showProgress(screen, total, what) : ignore),
    });
    screen.write(screen.endLine());
    const { outcome, text, facts } = answer;
    shell.stdout.write(json ? `${JSON.stringify({ outcome, ...facts })}\n` : `${text}\n`);
    if (exitCodeOf[outcome] !== 0) throw new Exit(exitCodeOf[outcome]);
  } catch (error) {
    screen.write(screen.endLine());
    throw reportFailure(shell, error, json === true);
  }
}

/**
 * stderr. Tracks whether a progress line is open on it, so that the next text starts on a new line.
 */
function createScreen({ stderr }: Shell) {
  let isOpen = false;
  return {
    isTTY: stderr.isTTY === true,
    write: (text: string): void => {
      if (text === '') return;
      stderr.write(text);
      isOpen = !text.endsWith('\n');
    },
    endLine: (): string => {
      const end = isOpen ? '\n' : '';
      isOpen = false;
      return end;
    },
  };
}

/** Prints why a command failed. Returns the `Exit` to throw. */
export function reportFailure({ stdout, stderr }: Shell, error: unknown, json: boolean): Exit {
  if (error instanceof Exit) return error;
  const refused = error instanceof Refusal;
  const reason = refused ? error.message : describeError(error).reason;
  const facts = refused ? error.facts : {};
  if (json) stdout.write(`${JSON.stringify({ ...facts, outcome: refused ? 'refused' : 'failed', reason })}\n`);
  stderr.write(`${reason}\n`);
  return new Exit(refused ? exitCodes.refused : exitCodes.failed);
}

/** The addresses of both databases, as for the worker. */
export const readDatabaseSettings = (shell: Shell) => readSettingsOrExit(shell, databaseSettings);

/** The address of the outbox, for a command that does not need the graph. */
export const readOutboxSettings = (shell: Shell) =>
  readSettingsOrExit(
    shell,
    databaseSettings.pick({ MONGODB_URI: true, MONGODB_DATABASE: true, OUTGRAPH_ALLOW_PLAIN_CONNECTIONS: true }),
  );

/** The addresses of both databases. The graph's address is optional. */
export const readSettingsWithGraph = (shell: Shell) =>
  readSettingsOrExit(shell, databaseSettings.partial({ NEO4J_URI: true }));

/** Null if the settings name no graph. */
export function graphOf({
  NEO4J_URI,
  ...others
}: Omit<GraphAddress, 'NEO4J_URI'> & { readonly NEO4J_URI?: string | undefined }): GraphAddress | null {
  return NEO4J_URI === undefined ? null : { NEO4J_URI, ...others };
}

async function confirm({ stderr, ask }: Shell, plan: string, yes: boolean): Promise<void> {
  stderr.write(`${plan}\n`);
  if (yes) return;
  if (ask === null) throw new Refusal('Not a terminal: pass --yes to skip the confirmation.');
  const answer = await ask('Go ahead? [y/N] ').catch(() => '');
  if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal('Nothing was changed.');
}

const ignore: ShowProgress = () => undefined;

/** An option's value: a number above zero. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above zero.');
  return value;
}

/** An option's value: a whole number above zero. */
export function wholePositive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError('It must be a whole number above zero.');
  return value;
}

/** An option's value: a whole number, zero or more. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number, zero or more.');
  return value;
}

/** An option that can be repeated. */
export function collect(
  check: (text: string) => string,
): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => [...before, check(text)];
}

/** An option's value: a time with its zone. */
export function moment(text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime()) || !/(Z|[+-]\d\d:?\d\d)$/.test(text))
    throw new InvalidArgumentError('It must be a time with its zone, such as 2026-11-25T03:00:00Z.');
  return value;
}
