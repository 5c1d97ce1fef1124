/**
 * What the settings of packs do to lag and messages, at a quiet, a usual and a high rate: each is
 * changed by itself. The batching window is not among them: LocalStack reads it as the length of a
 * long poll.
 */
import { DeployedFunctions } from '../../test/support/deployed-functions.ts';
import type { Stack } from '../../tools/local/stack.ts';
import { type LoadTarget, runStep, type StepResult } from './run-step.ts';

/** The settings of `infra/params.yml`. */
export interface PackSettings {
  readonly pointersPerEntry: number;
  readonly publisherLingerMillis: number;
  readonly batchSize: number;
}

/** What one choice of settings came to at one rate. */
export interface SettingsResult extends PackSettings {
  readonly step: StepResult;
  readonly eventsPerMessage: number;
  readonly eventsPerInvocation: number;
}

const defaults: PackSettings = { pointersPerEntry: 100, publisherLingerMillis: 50, batchSize: 10 };

const choices: readonly PackSettings[] = [
  defaults,
  { ...defaults, publisherLingerMillis: 0 },
  { ...defaults, publisherLingerMillis: 150 },
  { ...defaults, pointersPerEntry: 1 },
  { ...defaults, pointersPerEntry: 10 },
  { ...defaults, batchSize: 1 },
  { ...defaults, batchSize: 100 },
];

/** Documents in one transaction are as many as writers need to hold the rate. */
const rates = [
  { rate: 1, seconds: 30, together: 1 },
  { rate: 100, seconds: 15, together: 1 },
  { rate: 1_000, seconds: 15, together: 100 },
];

/** The stage `local` has it for a long poll. */
const windowSeconds = 20;

/** Measures on a stack on which nothing else runs, and leaves its functions with the defaults. */
export async function compareSettings(
  { description, logsFolder }: Stack,
  target: LoadTarget,
  say: (line: string) => void,
): Promise<readonly SettingsResult[]> {
  const { awsEndpointUrl, awsRegion, functions: names } = description;
  const functions = new DeployedFunctions(awsEndpointUrl, awsRegion, names, logsFolder);
  const results: SettingsResult[] = [];
  try {
    for (const [index, choice] of [...choices, defaults].entries()) {
      const { pointersPerEntry, publisherLingerMillis, batchSize } = choice;
      const environment = {
        POINTERS_PER_ENTRY: String(pointersPerEntry),
        PUBLISHER_LINGER_MILLIS: String(publisherLingerMillis),
      };
      await functions.configure('publisher', { environment });
      await functions.batchMessages('consumer', batchSize, windowSeconds);
      await functions.start('publisher');
      await runStep(target, `settings${index}-warm`, 20, 5);
      // The last choice is the first again: it only puts the defaults back.
      for (const { rate, seconds, together } of index < choices.length ? rates : []) {
        const before = (await batches(functions)).length;
        const step = await runStep(target, `settings${index}-${rate}`, rate, seconds, together);
        const consumed = (await batches(functions)).slice(before);
        const sum = (field: string) => consumed.reduce((total, batch) => total + Number(batch[field] ?? 0), 0);
        const events = sum('applied') + sum('superseded');
        const result = {
          ...choice,
          step,
          eventsPerMessage: events / sum('messages'),
          eventsPerInvocation: events / consumed.length,
        };
        results.push(result);
        say(settingsLine(result));
      }
    }
  } finally {
    functions.close();
  }
  return results;
}

async function batches(functions: DeployedFunctions): Promise<readonly Record<string, unknown>[]> {
  return (await functions.logLines('consumer')).filter(({ message }) => message === 'batch consumed');
}

/** One result as a line. */
function settingsLine(result: SettingsResult): string {
  const { pointersPerEntry, publisherLingerMillis, batchSize, step, eventsPerMessage, eventsPerInvocation } = result;
  return [
    `pointersPerEntry ${pointersPerEntry}, publisherLingerMillis ${publisherLingerMillis}, batchSize ${batchSize}`,
    `${step.asked}/s asked, ${step.held.toFixed(0)} held, ${step.settledPerSecond.toFixed(0)} settled`,
    `lag p50 ${step.lag.p50} ms, p99 ${step.lag.p99} ms`,
    `${eventsPerMessage.toFixed(1)} events a message, ${eventsPerInvocation.toFixed(1)} an invocation`,
  ].join('; ');
}
