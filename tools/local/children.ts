/**
 * The processes that a run has started. Each leads a group of its own, so that what it starts ends with it; a watchdog
 * ends them all should this process be killed without a chance to do so itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type LoggedCommand, spawnToLog } from './spawn-to-log.ts';
import { StackError } from './stack-error.ts';

/** A server that runs in the background. */
export interface BackgroundProcess {
  readonly pid: number;
  readonly name: string;
  /** Rejects when the process ends; with the end of its log, if it was not asked to. */
  readonly ended: Promise<never>;
  readonly stop: () => Promise<void>;
  /** As `stop`, but at once, as a crash does it. */
  readonly kill: () => Promise<void>;
  /** Stops its clock: it holds its connections and answers nothing, until it is resumed. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Takes a process into care the moment it runs, before it is known to be ready: from then on it is ended with the rest.
 */
export type KeepProcess = (process: BackgroundProcess) => void;

export interface BackgroundCommand extends LoggedCommand {
  readonly name: string;
}

const graceMillis = 15_000;

let watchdog: ChildProcess | undefined;

/** Starts a server whose output goes to a file. */
export function startInBackground(given: BackgroundCommand): BackgroundProcess {
  const { name, command, logFile } = given;
  const child = spawnToLog(given);
  const { pid } = child;
  if (pid === undefined) throw new StackError(`${name} could not be started: ${command} is missing or may not be run.`);
  tellWatchdog('watch', pid);
  let stopping = false;
  const exited = once(child, 'exit');
  const ended = exited.then(() => {
    tellWatchdog('forget', pid);
    if (stopping) throw new StackError(`${name} was stopped.`);
    throw new StackError(`${name} ended by itself; the end of its log (${logFile}):\n${lastLines(logFile)}`);
  });
  ended.catch(() => undefined);
  const end = async (signal: NodeJS.Signals) => {
    stopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    signalGroup(pid, signal);
    // One that is paused hears nothing until it goes on.
    signalGroup(pid, 'SIGCONT');
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMillis);
    await exited;
    clearTimeout(timer);
    // Whatever it had started and left behind.
    signalGroup(pid, 'SIGKILL');
  };
  return {
    pid,
    name,
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => signalGroup(pid, 'SIGSTOP'),
    resume: () => signalGroup(pid, 'SIGCONT'),
  };
}

/** The end of a log file, for an error message. */
export function lastLines(file: string, count = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
  } catch {
    return '(no log)';
  }
}

/** Ends the watchdog, when there is nothing left for it to watch. */
export function dismissWatchdog(): void {
  watchdog?.stdin?.end();
  watchdog = undefined;
}

function tellWatchdog(word: 'watch' | 'forget', pid: number): void {
  if (watchdog === undefined) {
    const script = path.join(import.meta.dirname, 'watchdog.mjs');
    watchdog = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watchdog.stdin?.on('error', () => undefined);
    watchdog.unref();
  }
  watchdog.stdin?.write(`${word} ${pid}\n`);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}
