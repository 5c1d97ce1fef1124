/**
 * The doctor's flow: examines everything around a stage by single checks, each of which says what it found and what to
 * do. It changes nothing. One check that fails does not keep the others from being made; one that stands on another is
 * skipped where that one failed, and says so; none takes longer than its time.
 */
import pTimeout from 'p-timeout';
import { describeError, Fault } from '../../lib/contract/fault.ts';

/**
 * - `ok`: as it should be.
 * - `warning`: the stage works; look at it when there is time.
 * - `wrong`: the stage does not work as it should, or will not when it matters.
 * - `skipped`: could not be examined, or need not be; `detail` says why.
 */
export type CheckOutcome = 'ok' | 'warning' | 'wrong' | 'skipped';

export const checkGroups = ['Configuration', 'MongoDB', 'Neo4j', 'Queue and bus', 'Stage'] as const;
export type CheckGroup = (typeof checkGroups)[number];

/** What a check found; `advice` is what to do, null where there is nothing. */
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

/** One check. */
export interface Check {
  readonly group: CheckGroup;
  readonly name: string;
  /** Checks that this one stands on. */
  readonly needs?: readonly Check[];
  /**
   * What the user must be allowed to, so that this can be read: whoever may not, has the check skipped. Left out, a
   * refusal is wrong.
   */
  readonly right?: string;
  /** Not every server tells it, for other reasons than rights: whatever it throws, it is skipped. */
  readonly isOptional?: true;
  /** What to do where it throws. */
  readonly advice: string;
  readonly examine: () => Promise<Finding>;
}

export interface CheckResult extends Finding {
  readonly group: CheckGroup;
  readonly name: string;
  /** The check whose outcome kept this one from being made, the first of all; null where it was made. */
  readonly blockedBy: string | null;
}

export interface DoctorReport {
  /** `unusable`: the settings are wrong, and nothing else could be examined. */
  readonly outcome: 'done' | 'wrong' | 'unusable' | 'interrupted';
  readonly counts: Readonly<Record<CheckOutcome, number>>;
  readonly checks: readonly CheckResult[];
}

export interface DoctorOptions {
  /** For each check. */
  readonly seconds: number;
  /** Aborted, what is not examined by then is skipped. */
  readonly signal: AbortSignal;
}

/** Makes all checks, at once where they do not stand on each other; the results are in the order of the checks. */
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
      return skipped(`this user may not look: ${check.right}`);
    return check.isOptional === true ? skipped(`cannot be read: ${reason}`) : wrong(reason, check.advice);
  }
}

function outcomeOf(results: readonly CheckResult[]): 'done' | 'wrong' | 'unusable' {
  if (results.every(({ outcome }) => outcome !== 'wrong')) return 'done';
  const examined = results.some(({ group, outcome }) => group !== 'Configuration' && outcome !== 'skipped');
  return examined ? 'wrong' : 'unusable';
}
