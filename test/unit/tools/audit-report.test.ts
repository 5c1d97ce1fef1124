/** The reading of npm's answers, on what npm 11 really printed: for a registry that names two made-up advisories, for one without an audit endpoint, and for none. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { judgeAudit, readAuditAnswer } from '../../../tools/audit-report.ts';

const recorded = (name: string) => readFileSync(path.join(import.meta.dirname, 'npm-audit', `${name}.json`), 'utf8');
const vulnerable = readAuditAnswer(recorded('vulnerable'));
const high = 'https://github.com/advisories/GHSA-xxxx-xxxx-0001';
const today = '2026-11-25';
const withoutBowser = () => {
  const report = JSON.parse(recorded('vulnerable'));
  delete report.vulnerabilities.bowser;
  return readAuditAnswer(JSON.stringify(report));
};

describe("npm's report", () => {
  it('names each advisory once, however many packages stand on the one that has it', () => {
    expect(vulnerable).toMatchObject({
      outcome: 'audited',
      advisories: [
        { package: 'bowser', severity: 'high', range: '<=2.15.0', title: 'Denial of service in bowser', url: high },
        { package: 'tslib', severity: 'low' },
      ],
    });
  });

  it('fails with an advisory of severity high, and lists the others too, the worst first', () => {
    const { lines, failed } = judgeAudit(vulnerable, [], today);
    expect(failed).toBe(true);
    expect(lines.map((line) => line.slice(0, 13))).toStrictEqual(['high: bowser ', 'low: tslib <3', '2 advisories ']);
  });

  it('passes with advisories below high, which it lists', () => {
    expect(judgeAudit(withoutBowser(), [], today)).toMatchObject({
      failed: false,
      lines: [/^low: tslib/, /^1 adv/].map((like) => expect.stringMatching(like)),
    });
  });

  it('passes with an exception until its last day, and fails on the next', () => {
    const exception = { advisory: high, reason: 'only parses our own user agent', until: today };
    expect(judgeAudit(vulnerable, [exception], today)).toMatchObject({
      failed: false,
      lines: expect.arrayContaining([expect.stringContaining('excepted until 2026-11-25: only parses')]),
    });
    expect(judgeAudit(vulnerable, [exception], '2026-11-26').failed).toBe(true);
  });

  it('without any advisory passes', () => {
    const nothing = readAuditAnswer(JSON.stringify({ auditReportVersion: 2, vulnerabilities: {}, metadata: {} }));
    expect(judgeAudit(nothing, [], today)).toMatchObject({ failed: false });
  });
});

describe('an answer that is no report', () => {
  it('of a registry without the endpoint passes, and says that nothing was checked', () => {
    const { lines, failed } = judgeAudit(readAuditAnswer(recorded('no-endpoint')), [], today);
    expect(lines).toStrictEqual([expect.stringContaining('not checked: the registry has no audit endpoint')]);
    expect(failed).toBe(false);
  });

  it.each([
    ['a registry that cannot be reached', recorded('unreachable')],
    ['a report of another version', JSON.stringify({ auditReportVersion: 3, vulnerabilities: {} })],
    ['nothing', ''],
  ])('fails: %s', (_, stdout) => {
    expect(judgeAudit(readAuditAnswer(stdout), [], today)).toMatchObject({
      failed: true,
      lines: [expect.stringContaining('could not be made')],
    });
  });
});
