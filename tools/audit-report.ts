/** What `npm audit --json` answers, and what follows from it. Pure: the exceptions and the day are arguments. */
import { z } from 'zod';

/** An advisory that is known and borne for a while: why, and until which day (`2027-01-31`). After that day it fails the check again. */
export interface AuditException {
  /** As the report names it: `https://github.com/advisories/GHSA-…`. */
  readonly advisory: string;
  readonly reason: string;
  readonly until: string;
}

/** One advisory, and the package that has it. */
export interface Advisory {
  readonly package: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
  readonly range: string;
}

/** `unsupported`: the registry has no audit endpoint, as mirrors often have none. */
export type AuditAnswer =
  | { readonly outcome: 'audited'; readonly advisories: readonly Advisory[] }
  | { readonly outcome: 'unsupported'; readonly message: string }
  | { readonly outcome: 'failed'; readonly message: string };

/** What the audit comes to, for a person: the lines to print, and whether the check fails. */
export interface AuditVerdict {
  readonly lines: readonly string[];
  readonly failed: boolean;
}

const advisorySchema = z.object({
  name: z.string(),
  severity: z.string(),
  title: z.string(),
  url: z.string(),
  range: z.string(),
});

// Of npm 7 and later. A `via` that is a text names another package, which has the advisory itself.
const reportSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(z.string(), z.object({ via: z.array(z.union([z.string(), advisorySchema])) })),
});

const errorSchema = z.object({ message: z.string(), statusCode: z.number().optional() });

/** What a registry without the endpoint answers: not found, method not allowed, gone, not implemented. */
const unsupportedCodes: readonly unknown[] = [404, 405, 410, 501];

/** Severities that fail the check. */
const failingSeverities: readonly string[] = ['high', 'critical'];
const severities = ['critical', 'high', 'moderate', 'low', 'info'];

/** Reads what npm printed; what is neither a report nor an error of it is a failure too. */
export function readAuditAnswer(stdout: string): AuditAnswer {
  const json = parseJson(stdout);
  const report = reportSchema.safeParse(json);
  if (report.success) return { outcome: 'audited', advisories: advisoriesOf(report.data) };
  const error = errorSchema.safeParse(json);
  if (!error.success)
    return { outcome: 'failed', message: 'npm printed neither an audit report of version 2 nor an error' };
  const { message, statusCode } = error.data;
  return { outcome: unsupportedCodes.includes(statusCode) ? 'unsupported' : 'failed', message };
}

/** Judges an answer. `today` is a day as `2026-11-25`. */
export function judgeAudit(answer: AuditAnswer, exceptions: readonly AuditException[], today: string): AuditVerdict {
  if (answer.outcome === 'unsupported')
    return { lines: [`not checked: the registry has no audit endpoint (${answer.message}).`], failed: false };
  if (answer.outcome === 'failed') return { lines: [`The audit could not be made: ${answer.message}.`], failed: true };
  const advisories = answer.advisories.toSorted(
    (left, right) => severities.indexOf(left.severity) - severities.indexOf(right.severity),
  );
  const judged = advisories.map((advisory) => {
    const exception = exceptions.find((one) => one.advisory === advisory.url);
    const borne = exception !== undefined && exception.until >= today;
    const fails = !borne && (failingSeverities.includes(advisory.severity) || !severities.includes(advisory.severity));
    return { fails, line: advisoryLine(advisory, exception) };
  });
  const failing = judged.filter(({ fails }) => fails).length;
  const summary = `${advisories.length} advisories for production dependencies, ${failing} of severity high or more without an exception.`;
  return { lines: [...judged.map(({ line }) => line), summary], failed: failing > 0 };
}

function advisoryLine({ severity, package: name, range, title, url }: Advisory, exception?: AuditException): string {
  const line = `${severity}: ${name} ${range}: ${title} (${url})`;
  return exception === undefined ? line : `${line}; excepted until ${exception.until}: ${exception.reason}`;
}

function advisoriesOf({ vulnerabilities }: z.infer<typeof reportSchema>): readonly Advisory[] {
  const found = new Map<string, Advisory>();
  for (const one of Object.values(vulnerabilities).flatMap(({ via }) => via)) {
    if (typeof one === 'string') continue;
    const { name, ...advisory } = one;
    found.set(`${name} ${advisory.url}`, { package: name, ...advisory });
  }
  return [...found.values()];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
