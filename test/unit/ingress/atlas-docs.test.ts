/**
 * What is written of the Atlas Trigger: its page has the trigger as it is, and whoever the alarm wakes finds what shows
 * and resumes it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';
import { atlasTrigger } from '../../support/atlas-trigger.ts';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

/** From a heading of the third rank to the next one. */
function section(markdown: string, heading: string): string {
  return markdown.split(/^(?=##)/m).find((part) => part.startsWith(`### ${heading}\n`)) ?? '';
}

/** What stands in a section's blocks of shell commands. */
function commands(text: string): string {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).join('\n');
}

const runbook = read('docs/runbook.md');

it('its page shows the trigger that is made', () => {
  const [, json = ''] = /^```json\n(.*?)^```/ms.exec(read('docs/how-to/use-an-atlas-trigger.md')) ?? [];
  expect(JSON.parse(json)).toStrictEqual(atlasTrigger);
});

it('its page sets auto-resume, for which Terraform has no argument', () => {
  expect(commands(read('docs/how-to/use-an-atlas-trigger.md'))).toContain('.config.tolerate_resume_errors = true');
});

it('the alarm that sees a suspended trigger sends whoever is called to what shows and resumes it', () => {
  expect(section(runbook, 'events-republished')).toContain('(#the-atlas-trigger-is-suspended)');
  const suspended = commands(section(runbook, 'The Atlas Trigger is suspended'));
  expect(suspended).toContain('--metric-name Events --dimensions Name=EventSourceName,Value=$bus');
  expect(suspended).toContain('app triggers/$trigger |');
  expect(suspended).toContain('logs?type=TRIGGER_FAILURE');
  expect(suspended).toContain('app triggers/$trigger/resume -X PUT -d \'{ "disable_token": true }\'');
});

it('what the run book types on the bus, it types on the bus of either ingress', () => {
  expect(runbook).not.toContain('--event-bus-name outgraph');
  expect(commands(section(runbook, 'events-republished'))).toContain('--event-bus-name $bus');
});
