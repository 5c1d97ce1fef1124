/**
 * The processes that a run has started. Each leads its own process group, so that its children end
 * with it. A watchdog kills them all if this process is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type LoggedCommand, spawnToLog } from './spawn-to-log.ts';
import { StackError } from './stack-error.ts';

/** A server running in the background. */
export interface BackgroundProcess {
  readonly pid: number;
  readonly name: string;
  /** Rejects when the process exits, with the end of its log if it was not asked to. */
  readonly ended: Promise<never>;
  readonly stop: () => Promise<void>;
  /** As `stop`, but at once, like a crash. */
  readonly kill: () => Promise<void>;
  /** Pauses the process: it keeps its connections and answers nothing until it is resumed. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/**
 * Registers a process as soon as it runs, even before it is ready: from then on it is stopped with
 * the others.
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
  if (pid === undefined) throw new StackError(`${name} could not be started: ${command} is missing or not executable.`);
  tellWatchdog('watch', pid);
  let stopping = false;
  const exited = once(child, 'exit');
  const ended = exited.then(() => {
    tellWatchdog('forget', pid);
    if (stopping) throw new StackError(`${name} was stopped.`);
    throw new StackError(`${name} exited unexpectedly. The end of its log (${logFile}):\n${lastLines(logFile)}`);
  });
  ended.catch(() => undefined);
  const end = async (signal: NodeJS.Signals) => {
    stopping = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    signalGroup(pid, signal);
    // A paused process does not handle the signal until it is resumed.
    signalGroup(pid, 'SIGCONT');
    const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMillis);
    await exited;
    clearTimeout(timer);
    // Kills whatever it has started and left behind.
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

/** Stops the watchdog once it has nothing to watch. */
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
