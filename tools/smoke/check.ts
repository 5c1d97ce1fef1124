/** Runs the checks one after the other, bounded in time, and turns their results into a table. */
import pTimeout from 'p-timeout';
import { table } from '../../cli/terminal/table.ts';
import { describeError } from '../../lib/contract/fault.ts';
import { StackError } from '../local/stack-error.ts';
import { waitUntil } from '../local/wait-until.ts';
import type { SmokeStage } from './stage.ts';

/**
 * When a check runs: `before` anything is deployed; on the running `stage`, if everything before it
 * and its deployment succeeded; for the `removal`, whenever something may have been deployed, even
 * after the time limit or Ctrl-C.
 */
export type Phase = 'before' | 'deployment' | 'stage' | 'removal';

export interface Check {
  /** What is true when the check has passed, as a sentence. */
  readonly name: string;
  readonly phase: Phase;
  /** Returns a short finding. @throws Error that says what to do. */
  readonly run: (stage: SmokeStage, signal: AbortSignal) => Promise<string>;
  /** Why it cannot be examined here, if it cannot. */
  readonly skip?: (stage: SmokeStage) => string | undefined;
}

export interface CheckResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'not run';
  readonly seconds: number;
  /** The finding; or why it failed and what to do; or why it was not examined. */
  readonly finding: string;
}

/** The removal may take this long, in addition to the limit of the run. */
const removalMinutes = 15;

const marks = { passed: '✓', failed: '✗', skipped: '–', 'not run': '–' } as const;

/**
 * Runs the checks in their order. `report` receives a line when a check begins, and one when it
 * ends.
 */
export async function runChecks(
  checks: readonly Check[],
  stage: SmokeStage,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  let blocked: string | undefined;
  let isDeployed = stage.existing;
  for (const check of checks) {
    const { name, phase } = check;
    const limit = phase === 'removal' ? AbortSignal.timeout(removalMinutes * 60_000) : signal;
    const skip = check.skip?.(stage);
    const unable =
      phase === 'removal' ? (isDeployed ? undefined : 'nothing was deployed') : (stopReason(signal) ?? blocked);
    let result: CheckResult;
    if (skip !== undefined) result = { name, outcome: 'skipped', seconds: 0, finding: skip };
    else if (unable !== undefined) result = { name, outcome: 'not run', seconds: 0, finding: unable };
    else {
      isDeployed ||= phase === 'deployment';
      report(`  … ${name}`);
      result = await runOne(check, stage, limit);
      if (result.outcome === 'failed' && (phase === 'before' || phase === 'deployment'))
        blocked ??= `after "${name}" failed`;
    }
    report(`  ${marks[result.outcome]} ${name}: ${result.finding}`);
    results.push(result);
  }
  return results;
}

async function runOne(check: Check, stage: SmokeStage, signal: AbortSignal): Promise<CheckResult> {
  const { name } = check;
  const start = performance.now();
  const seconds = () => Math.round((performance.now() - start) / 100) / 10;
  try {
    const finding = await pTimeout(check.run(stage, signal), { milliseconds: Number.POSITIVE_INFINITY, signal });
    return { name, outcome: 'passed', seconds: seconds(), finding };
  } catch (error) {
    return { name, outcome: 'failed', seconds: seconds(), finding: stopReason(signal) ?? reasonOf(error) };
  }
}

function stopReason({ aborted, reason }: AbortSignal): string | undefined {
  if (!aborted) return undefined;
  return reason?.name === 'TimeoutError' ? 'the time is up: pass a higher --minutes' : 'interrupted';
}

/** AWS's messages hold no secrets. Of other errors that are not ours, only the name is shown. */
function reasonOf(error: unknown): string {
  const isAws = error instanceof Error && '$metadata' in error;
  if (isAws) return `AWS answered ${error.name}: ${error.message}`;
  return error instanceof StackError ? error.message : describeError(error).reason;
}

/** Polls. Ends at once with a StackError of `ask`. @throws StackError with `advice` when the time is up. */
export async function until<Answer>(
  ask: () => Promise<Answer | undefined>,
  {
    seconds,
    what,
    advice,
  }: { readonly seconds: number; readonly what: string; readonly advice: string | (() => string) },
  signal: AbortSignal,
): Promise<Answer> {
  const ended = Symbol();
  let fatal: unknown;
  const end = (error: unknown) => {
    fatal = error;
    return ended;
  };
  const found = await waitUntil(
    async () => {
      if (signal.aborted) return end(signal.reason);
      try {
        return await ask();
      } catch (error) {
        if (error instanceof StackError) return end(error);
        throw error;
      }
    },
    { timeoutSeconds: seconds, pollMillis: 500, what },
  ).catch(() => {
    throw new StackError(`Waited ${seconds} s in vain for ${what}. ${typeof advice === 'string' ? advice : advice()}`);
  });
  if (found === ended) throw fatal;
  return found as Answer;
}

/** Whether the stage is proven: nothing failed, and everything that can be examined was. */
export function isProven(results: readonly CheckResult[]): boolean {
  return results.every(({ outcome }) => outcome === 'passed' || outcome === 'skipped');
}

/** The table of ticks, and what to do for each check that failed. */
export function resultsText(results: readonly CheckResult[]): string {
  const rows = results.map(({ outcome, name, seconds, finding }) => {
    const text = outcome === 'failed' ? 'failed: see below' : outcome === 'passed' ? finding : `${outcome}: ${finding}`;
    return [marks[outcome], name, seconds, text];
  });
  const failed = results.filter(({ outcome }) => outcome === 'failed');
  const count = (outcome: CheckResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
  return [
    table(['', 'check', 'seconds', 'finding'], rows),
    ...failed.map(({ name, finding }) => `\n✗ ${name}\n${finding}`),
    `\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped, ${count('not run')} not run.`,
  ].join('\n');
}
