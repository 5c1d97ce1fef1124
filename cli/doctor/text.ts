/** The doctor's report for people: its checks by group, with a mark each, and what to do below it. */
import { styleText } from 'node:util';
import { type CheckOutcome, type CheckResult, checkGroups, type DoctorReport } from './doctor.ts';

/** How a report looks. */
export interface TextStyle {
  readonly hasColour: boolean;
  /** Whether the terminal shows more than ASCII. */
  readonly isUnicode: boolean;
}

/**
 * Colour on a terminal alone, and not where nobody wants it (https://no-color.org); signs where the locale says UTF-8,
 * as POSIX finds it.
 */
export function styleOf(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): TextStyle {
  const locale = [environment.LC_ALL, environment.LC_CTYPE, environment.LANG].find((one) => one) ?? '';
  return { hasColour: isTerminal && !environment.NO_COLOR, isUnicode: /utf-?8/i.test(locale) };
}

const marks = {
  ok: { sign: '✓', plain: 'ok', colour: 'green' },
  warning: { sign: '!', plain: '!', colour: 'yellow' },
  wrong: { sign: '✗', plain: 'X', colour: 'red' },
  skipped: { sign: '-', plain: '-', colour: 'dim' },
} as const satisfies Readonly<Record<CheckOutcome, unknown>>;

/** The whole report. */
export function doctorText({ outcome, counts, checks }: DoctorReport, style: TextStyle): string {
  const paint = (colour: Parameters<typeof styleText>[0], text: string) =>
    style.hasColour ? styleText(colour, text, { validateStream: false }) : text;
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

/** One line in the place of all that one check kept from being made. */
function blocked(checks: readonly CheckResult[]): readonly CheckResult[] {
  const byCause = Map.groupBy(checks, ({ blockedBy }) => blockedBy);
  return [...byCause].flatMap(([cause, some]) => {
    const [first] = some;
    if (cause === null || first === undefined) return [];
    const name = some.length === 1 ? first.name : `${some.length} others`;
    const names = some.length === 1 ? '' : `: ${some.map((check) => check.name).join(', ')}`;
    return [{ ...first, name, detail: `not examined, because of ${cause}${names}` }];
  });
}

function summary(outcome: DoctorReport['outcome'], { ok, warning, wrong, skipped }: DoctorReport['counts']): string {
  const figures = `${ok} ok, ${warning} ${warning === 1 ? 'warning' : 'warnings'}, ${wrong} wrong, ${skipped} skipped.`;
  const headline = {
    done: 'Nothing is wrong',
    wrong: 'Something is wrong',
    unusable: 'The settings are wrong, and nothing else could be examined',
    interrupted: 'Interrupted',
  }[outcome];
  return `${headline}: ${figures}`;
}
