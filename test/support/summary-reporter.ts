/**
 * Ends a run with a summary for contributors: the slowest files, commands that repeat what failed,
 * and the counts. With `OUTGRAPH_TEST_COUNTS`, the counts are appended to that file instead, for a
 * caller that adds up several runs.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';

const slowestFiles = 20;

export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const cases = modules.flatMap((module) => [...module.children.allTests()]);
    const states = cases.map((test) => test.result().state);
    const brokenFiles = modules.filter((module) => module.errors().length > 0 || hookFailed(module));
    const failedTests = cases.filter((test) => test.result().state === 'failed');
    const failed = [...failedTests.map(repeatTest), ...brokenFiles.map(repeatFile)];
    process.stdout.write(`${[...slowest(modules), ...repeat(failed)].join('\n')}\n\n`);
    const counts = `${count(states, 'passed')} passed, ${failed.length} failed, ${count(states, 'skipped')} skipped\n`;
    const { OUTGRAPH_TEST_COUNTS: file } = process.env;
    if (file === undefined) process.stdout.write(counts);
    else appendFileSync(file, counts);
  }
}

const count = (states: readonly string[], wanted: string) => states.filter((state) => state === wanted).length;

/** Whether a hook of the file failed, so that its tests did not run. */
function hookFailed(module: TestModule): boolean {
  return module.state() === 'failed' && [...module.children.allTests('failed')].length === 0;
}

function slowest(modules: readonly TestModule[]): readonly string[] {
  const timed = modules
    .map((module) => ({ file: fileOf(module), seconds: secondsOf(module) }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, slowestFiles);
  if (modules.length < 2) return [];
  return ['', 'Slowest files:', ...timed.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(8)} s  ${file}`)];
}

function secondsOf(module: TestModule): number {
  const { environmentSetupDuration, prepareDuration, collectDuration, setupDuration, duration } = module.diagnostic();
  return (environmentSetupDuration + prepareDuration + collectDuration + setupDuration + duration) / 1_000;
}

function repeat(commands: readonly string[]): readonly string[] {
  return commands.length === 0 ? [] : ['', 'To repeat what failed:', ...commands.map((command) => `  ${command}`)];
}

function repeatTest(test: TestCase): string {
  const name = test.fullName.split(' > ').join(' ');
  return `${repeatFile(test.module)} -t ${quote(`^${escapeRegExp(name)}$`)}`;
}

/** The project is part of it, because a file can belong to several. */
const repeatFile = (module: TestModule) => `npx vitest run --project ${module.project.name} ${fileOf(module)}`;

const fileOf = (module: TestModule) => path.relative(process.cwd(), module.moduleId);

const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Quotes for a POSIX shell. */
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
