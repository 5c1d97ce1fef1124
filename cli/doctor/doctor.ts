/**
 * Runs the doctor's checks of a stage. Each check has a finding and advice, and changes nothing. A
 * failed check does not stop the others, but checks that depend on it are skipped. Each check has a
 * time limit.
 */
import pTimeout from 'p-timeout';
import { describeError, Fault } from '../../lib/contract/fault.ts';

/**
 * - `ok`: correct.
 * - `warning`: the stage works; check it when there is time.
 * - `wrong`: the stage does not work correctly, or will fail later.
 * - `skipped`: not examined; `detail` has the reason.
 */
export type CheckOutcome = 'ok' | 'warning' | 'wrong' | 'skipped';

export const checkGroups = ['Configuration', 'MongoDB', 'Neo4j', 'Queue and bus', 'Stage'] as const;
export type CheckGroup = (typeof checkGroups)[number];

/** `advice` is what to do; null if there is nothing to do. */
export interface Finding {
  readonly outcome: CheckOutcome;
  readonly detail: string;
  readonly advice: string | null;
}

export const ok = (detail: string): Finding => ({ outcome: 'ok', detail, advice: null });
export const warning = (detail: string, advice: string): Finding => ({ outcome: 'warning', detail, advice });
export const wrong = (detail: string, advice: string): Finding => ({ outcome: 'wrong', detail, advice });
export const skipped = (detail: string, advice: string | null = null): Finding => ({
  outcome: 'skipped',
  detail,
  advice,
});

export const setUpAdvice = 'Run: npx outgraph set-up (a deployment does this automatically).';

/** @param seconds how far the clock is ahead; negative if it is behind. */
export function clockText(seconds: number, other: string): string {
  const apart = Math.abs(seconds);
  if (apart < 1) return `within a second of ${other}'s`;
  return `${apart.toFixed(0)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} ${other}'s`;
}

export interface Check {
  readonly group: CheckGroup;
  readonly name: string;
  /** Checks that must succeed first. */
  readonly needs?: readonly Check[];
  /**
   * The right that the user needs. Without it, the check is skipped; if omitted, a refusal is
   * `wrong`.
   */
  readonly right?: string;
  /** Skipped if it throws: not every server supports it. */
  readonly isOptional?: true;
  /** What to do if it throws. */
  readonly advice: string;
  readonly examine: () => Promise<Finding>;
}

export interface CheckResult extends Finding {
  readonly group: CheckGroup;
  readonly name: string;
  /** The first check that prevented this one; null if it was examined. */
  readonly blockedBy: string | null;
}

export interface DoctorReport {
  /** `unusable`: the settings are wrong, so nothing else could be examined. */
  readonly outcome: 'done' | 'wrong' | 'unusable' | 'interrupted';
  readonly counts: Readonly<Record<CheckOutcome, number>>;
  readonly checks: readonly CheckResult[];
}

export interface DoctorOptions {
  /** The time limit of each check. */
  readonly seconds: number;
  /** When aborted, the remaining checks are skipped. */
  readonly signal: AbortSignal;
}

/**
 * Runs all checks, concurrently unless one depends on another. The results are in the order of the
 * checks.
 */
export async function examineStage(checks: readonly Check[], options: DoctorOptions): Promise<DoctorReport> {
  const running = new Map<Check, Promise<CheckResult>>();
  const run = (check: Check): Promise<CheckResult> => {
    const result = running.get(check) ?? examineAfter(check, (check.needs ?? []).map(run), options);
    running.set(check, result);
    return result;
  };
  const results = await Promise.all(checks.map(run));
  const count = (outcome: CheckOutcome) => results.filter((one) => one.outcome === outcome).length;
  return {
    outcome: options.signal.aborted ? 'interrupted' : outcomeOf(results),
    counts: { ok: count('ok'), warning: count('warning'), wrong: count('wrong'), skipped: count('skipped') },
    checks: results,
  };
}

async function examineAfter(
  check: Check,
  needs: readonly Promise<CheckResult>[],
  options: DoctorOptions,
): Promise<CheckResult> {
  const { group, name } = check;
  const missing = (await Promise.all(needs)).find(({ outcome }) => outcome === 'wrong' || outcome === 'skipped');
  if (missing === undefined) return { group, name, ...(await examineInTime(check, options)), blockedBy: null };
  const blockedBy = missing.blockedBy ?? `${missing.group}: ${missing.name}`;
  return { group, name, ...skipped(`not examined, because of ${blockedBy}`), blockedBy };
}

async function examineInTime(check: Check, { seconds, signal }: DoctorOptions): Promise<Finding> {
  if (signal.aborted) return skipped('interrupted');
  try {
    const message = new Fault('time-up', `No answer within ${seconds} seconds.`);
    return await pTimeout(check.examine(), { milliseconds: seconds * 1_000, message, signal });
  } catch (error) {
    if (signal.aborted) return skipped('interrupted');
    const { code, reason } = describeError(error);
    if (code === 'permission-denied' && check.right !== undefined)
      return skipped(`this user lacks a right: ${check.right}`);
    return check.isOptional === true ? skipped(`cannot be read: ${reason}`) : wrong(reason, check.advice);
  }
}

function outcomeOf(results: readonly CheckResult[]): 'done' | 'wrong' | 'unusable' {
  if (results.every(({ outcome }) => outcome !== 'wrong')) return 'done';
  const examined = results.some(({ group, outcome }) => group !== 'Configuration' && outcome !== 'skipped');
  return examined ? 'wrong' : 'unusable';
}
