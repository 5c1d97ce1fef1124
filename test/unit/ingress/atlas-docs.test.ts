/**
 * The docs of the Atlas Trigger: its page shows the actual trigger, and the alarm leads to the
 * commands that show and resume it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';
import { atlasTrigger } from '../../support/atlas-trigger.ts';

const read = (file: string) => readFileSync(path.join(projectRoot, file), 'utf8');

/** The text from a third-level heading to the next heading. */
function section(markdown: string, heading: string): string {
  return markdown.split(/^(?=##)/m).find((part) => part.startsWith(`### ${heading}\n`)) ?? '';
}

/** The commands in a section's shell blocks. */
function commands(text: string): string {
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).join('\n');
}

const runbook = read('docs/runbook.md');

it('its page shows the actual trigger', () => {
  const [, json = ''] = /^```json\n(.*?)^```/ms.exec(read('docs/how-to/use-an-atlas-trigger.md')) ?? [];
  expect(JSON.parse(json)).toStrictEqual(atlasTrigger);
});

it('its page sets auto-resume, which Terraform cannot set', () => {
  expect(commands(read('docs/how-to/use-an-atlas-trigger.md'))).toContain('.config.tolerate_resume_errors = true');
});

it('the alarm for a suspended trigger leads to the commands that show and resume it', () => {
  expect(section(runbook, 'events-republished')).toContain('(#the-atlas-trigger-is-suspended)');
  const suspended = commands(section(runbook, 'The Atlas Trigger is suspended'));
  expect(suspended).toContain('--metric-name Events --dimensions Name=EventSourceName,Value=$bus');
  expect(suspended).toContain('app triggers/$trigger |');
  expect(suspended).toContain('logs?type=TRIGGER_FAILURE');
  expect(suspended).toContain('app triggers/$trigger/resume -X PUT -d \'{ "disable_token": true }\'');
});

it("the run book's commands for the bus work with either ingress", () => {
  expect(runbook).not.toContain('--event-bus-name outgraph');
  expect(commands(section(runbook, 'events-republished'))).toContain('--event-bus-name $bus');
});
