/** The doctor's report as text: checks by group, each with a mark and its advice below. */
import { painter, wantsColour } from '../terminal/colour.ts';
import { type CheckOutcome, type CheckResult, checkGroups, type DoctorReport } from './doctor.ts';

export interface TextStyle {
  readonly hasColour: boolean;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

/**
 * Uses colour only on a terminal that wants it, and signs only if the POSIX locale is UTF-8.
 */
export function styleOf(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): TextStyle {
  const locale = [environment.LC_ALL, environment.LC_CTYPE, environment.LANG].find((one) => one) ?? '';
  return { hasColour: wantsColour(environment, isTerminal), isUnicode: /utf-?8/i.test(locale) };
}

const marks = {
  ok: { sign: '✓', plain: 'ok', colour: 'green' },
  warning: { sign: '!', plain: '!', colour: 'yellow' },
  wrong: { sign: '✗', plain: 'X', colour: 'red' },
  skipped: { sign: '-', plain: '-', colour: 'dim' },
} as const satisfies Readonly<Record<CheckOutcome, unknown>>;

export function doctorText({ outcome, counts, checks }: DoctorReport, style: TextStyle): string {
  const paint = painter(style.hasColour);
  const width = Math.max(...checks.map(({ name }) => name.length));
  const line = (check: CheckResult): readonly string[] => {
    const { sign, plain, colour } = marks[check.outcome];
    const mark = style.isUnicode ? sign : plain.padEnd(2);
    const first = `  ${paint(colour, mark)} ${check.name.padEnd(width)}  ${check.detail}`;
    return check.advice === null ? [first] : [first, `${' '.repeat(width + (style.isUnicode ? 6 : 7))}${check.advice}`];
  };
  const groups = checkGroups.flatMap((group) => {
    const ofGroup = checks.filter((check) => check.group === group);
    const lines = ofGroup.filter(({ blockedBy }) => blockedBy === null).flatMap(line);
    return ofGroup.length === 0 ? [] : [paint('bold', group), ...lines, ...blocked(ofGroup).flatMap(line), ''];
  });
  return [...groups, summary(outcome, counts)].join('\n');
}

/** One line for all checks that one check prevented. */
function blocked(checks: readonly CheckResult[]): readonly CheckResult[] {
  const byCause = Map.groupBy(checks, ({ blockedBy }) => blockedBy);
  return [...byCause].flatMap(([cause, prevented]) => {
    const [first] = prevented;
    if (cause === null || first === undefined) return [];
    const name = prevented.length === 1 ? first.name : `${prevented.length} others`;
    const names = prevented.length === 1 ? '' : `: ${prevented.map((check) => check.name).join(', ')}`;
    return [{ ...first, name, detail: `not examined, because of ${cause}${names}` }];
  });
}

function summary(outcome: DoctorReport['outcome'], { ok, warning, wrong, skipped }: DoctorReport['counts']): string {
  const figures = `${ok} ok, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${wrong} wrong, ${skipped} skipped.`;
  const headline = {
    done: 'Nothing is wrong',
    wrong: 'Something is wrong',
    unusable: 'The settings are wrong: nothing else could be checked',
    interrupted: 'Interrupted',
  }[outcome];
  return `${headline}: ${figures}`;
}
