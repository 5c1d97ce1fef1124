/** What every command of the operator shares: how it is interrupted, how it asks before it changes data, how it answers, and its exit codes. */
import { createInterface } from 'node:readline/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { databaseSettings } from '../lib/config/settings.ts';
import { describeError } from '../lib/contract/fault.ts';
import type { GraphAddress } from '../lib/wiring/operator.ts';
import { isWanted, type ShowProgress, showProgress } from './progress.ts';
import { readSettingsOrExit, wrongUse } from './read-settings.ts';

/** 0: done, or equal. */
export const exitCodes = { failed: 1, wrongUse, refused: 3, different: 4, interrupted: 130 } as const;

export const exitCodesText = `
Exit codes: 0 done, 1 failed (a server did not answer as it should, or there is no such thing), 2 wrong use or settings,
3 refused (not confirmed, or not safe), 4 the graph is not what the documents say, or is out of step, 130 interrupted (Ctrl-C; run it again to go on).`;

/** Options that commands which change data have. */
export interface ChangeOptions {
  readonly yes?: true;
  readonly json?: true;
  readonly rate: number;
}

/** A command's answer: for people, and the same for programs. */
export interface Answer {
  /** `wrong` ends as `failed` does, `unusable` as wrong settings do. */
  readonly outcome: 'done' | 'equal' | 'different' | 'interrupted' | 'wrong' | 'unusable';
  readonly text: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Thrown to end a command that is not confirmed, or not safe. */
export class Refusal extends Error {
  /** For programs: what was done before, where something was. */
  readonly facts: Answer['facts'];

  constructor(message: string, facts: Answer['facts'] = {}) {
    super(message);
    this.facts = facts;
  }
}

/** What a running command can do. */
export interface Terminal {
  readonly signal: AbortSignal;
  /** @throws Refusal unless the answer is yes. */
  readonly confirm: (whatItDoes: string) => Promise<void>;
  /** For people, on stderr. */
  readonly say: (text: string) => void;
  readonly showProgress: (total: number | null, what: string) => ShowProgress;
}

/**
 * Adds `--rate`, `--yes` and `--json`.
 *
 * @param rate a default that depends on other options is a text: it is only shown.
 */
export function addChangeOptions(
  command: Command,
  rate: { readonly default: number | string; readonly what: string },
): Command {
  const isShown = typeof rate.default === 'string';
  const description = `${rate.what} in a second, at most${isShown ? ` (default: ${rate.default})` : ''}`;
  return command
    .exitOverride(exitOnWrongUse)
    .option<number | undefined>('--rate <number>', description, positive, isShown ? undefined : Number(rate.default))
    .option('--yes', 'do not ask')
    .option('--json', 'print the result as one line of JSON')
    .addHelpText('after', exitCodesText);
}

/** Commander ends the process with 1 when it is used in a wrong way; here that is `wrongUse`. */
export function exitOnWrongUse({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : exitCodes.wrongUse);
}

/** Runs a command to its answer and sets the exit code. */
export async function runCommand(
  { yes, json }: Pick<ChangeOptions, 'yes' | 'json'>,
  work: (terminal: Terminal) => Promise<Answer>,
): Promise<void> {
  const interruption = new AbortController();
  // Once only: a second Ctrl-C ends the process at once, which is as safe.
  process.once('SIGINT', () => interruption.abort()).once('SIGTERM', () => interruption.abort());
  const screen = createScreen();
  const say = (text: string) => screen.write(`${screen.endLine()}${text}\n`);
  try {
    const answer = await work({
      signal: interruption.signal,
      say,
      confirm: (whatItDoes) => confirm(`${screen.endLine()}${whatItDoes}`, yes === true, interruption.signal),
      showProgress: (total, what) => (isWanted(screen) ? showProgress(screen, total, what) : ignore),
    });
    screen.write(screen.endLine());
    const { outcome, text, facts } = answer;
    process.stdout.write(json ? `${JSON.stringify({ outcome, ...facts })}\n` : `${text}\n`);
    process.exitCode = { done: 0, equal: 0, ...exitCodes, wrong: exitCodes.failed, unusable: exitCodes.wrongUse }[
      outcome
    ];
  } catch (error) {
    screen.write(screen.endLine());
    reportFailure(error, json === true);
  }
}

/** stderr, and whether a line of progress stands on it that the next words must not be written behind. */
function createScreen() {
  let isOpen = false;
  return {
    isTTY: process.stderr.isTTY,
    write: (text: string): void => {
      if (text === '') return;
      process.stderr.write(text);
      isOpen = !text.endsWith('\n');
    },
    endLine: (): string => {
      const end = isOpen ? '\n' : '';
      isOpen = false;
      return end;
    },
  };
}

/** Says why a command did not come to its answer, and sets the exit code. */
export function reportFailure(error: unknown, json: boolean): void {
  const refused = error instanceof Refusal;
  const reason = refused ? error.message : describeError(error).reason;
  const facts = refused ? error.facts : {};
  if (json) process.stdout.write(`${JSON.stringify({ ...facts, outcome: refused ? 'refused' : 'failed', reason })}\n`);
  process.stderr.write(`${reason}\n`);
  process.exitCode = refused ? exitCodes.refused : exitCodes.failed;
}

/** Where both databases are, as for the worker. */
export const readDatabaseSettings = () => readSettingsOrExit(databaseSettings);

/** Where the outbox is, for a command that does not need the graph. */
export const readOutboxSettings = () =>
  readSettingsOrExit(databaseSettings.pick({ MONGODB_URI: true, MONGODB_DATABASE: true }));

/** Where both databases are; the graph's address may be left out. For a command that can do without it. */
export const readSettingsWithGraph = () => readSettingsOrExit(databaseSettings.partial({ NEO4J_URI: true }));

/** Null where the settings name no graph. */
export function graphOf({
  NEO4J_URI,
  ...others
}: Omit<GraphAddress, 'NEO4J_URI'> & { readonly NEO4J_URI?: string | undefined }): GraphAddress | null {
  return NEO4J_URI === undefined ? null : { NEO4J_URI, ...others };
}

async function confirm(whatItDoes: string, yes: boolean, signal: AbortSignal): Promise<void> {
  process.stderr.write(`${whatItDoes}\n`);
  if (yes) return;
  if (!process.stdin.isTTY) throw new Refusal('Nobody can be asked here: add --yes to go ahead.');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question('Go ahead? [y/N] ', { signal }).catch(() => '');
    if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal('Nothing was changed.');
  } finally {
    lines.close();
  }
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

/** An option that may be given several times. */
export function collect(
  check: (text: string) => string,
): (text: string, before?: readonly string[]) => readonly string[] {
  return (text, before = []) => [...before, check(text)];
}

/** An option's value: a moment with its time zone. */
export function moment(text: string): Date {
  const value = new Date(text);
  if (Number.isNaN(value.getTime()) || !/(Z|[+-]\d\d:?\d\d)$/.test(text))
    throw new InvalidArgumentError('It must be a time with its zone, as 2026-11-25T03:00:00Z.');
  return value;
}
