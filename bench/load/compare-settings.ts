/**
 * Measures how the settings of packs change lag and messages, at a low, a usual and a high rate.
 * Each variant changes one setting. The batching window is not compared: LocalStack uses it as the
 * length of a long poll.
 */
import { DeployedFunctions } from '../../test/support/deployed-functions.ts';
import type { Stack } from '../../tools/local/stack.ts';
import { applyPackSettings, localPackSettings, type PackSettings } from './pack-settings.ts';
import { type LoadTarget, runStep, type StepResult } from './run-step.ts';

/** The result of one variant of the settings at one rate. */
export interface SettingsResult {
  readonly settings: PackSettings;
  readonly step: StepResult;
  readonly eventsPerMessage: number;
  readonly eventsPerInvocation: number;
}

const choices: readonly PackSettings[] = [
  localPackSettings,
  { ...localPackSettings, publisherLingerMillis: 0 },
  { ...localPackSettings, publisherLingerMillis: 150 },
  { ...localPackSettings, pointersPerEntry: 1 },
  { ...localPackSettings, pointersPerEntry: 10 },
  { ...localPackSettings, batchSize: 1 },
  { ...localPackSettings, batchSize: 100 },
];

/** Each with as many documents per transaction as writers need to hold the rate. */
const rates = [
  { rate: 1, seconds: 30, together: 1 },
  { rate: 100, seconds: 15, together: 1 },
  { rate: 1_000, seconds: 15, together: 100 },
];

/** Needs a stack on which nothing else runs. Leaves its functions with the last variant. */
export async function compareSettings(
  { description, logsFolder }: Stack,
  target: LoadTarget,
  report: (line: string) => void,
): Promise<readonly SettingsResult[]> {
  const { awsEndpointUrl, awsRegion, functions: names } = description;
  const functions = new DeployedFunctions(awsEndpointUrl, awsRegion, names, logsFolder);
  const results: SettingsResult[] = [];
  try {
    for (const [index, settings] of choices.entries()) {
      await applyPackSettings(functions, settings);
      await runStep(target, `settings${index}-warm`, 20, 5);
      for (const { rate, seconds, together } of rates) {
        const before = (await functions.consumedBatches()).length;
        const step = await runStep(target, `settings${index}-${rate}`, rate, seconds, together);
        const batches = (await functions.consumedBatches()).slice(before);
        const sum = (field: string) => batches.reduce((total, batch) => total + Number(batch[field]), 0);
        const events = sum('applied') + sum('superseded');
        const result = {
          settings,
          step,
          eventsPerMessage: events / sum('messages'),
          eventsPerInvocation: events / batches.length,
        };
        results.push(result);
        report(settingsLine(result));
      }
    }
  } finally {
    functions.close();
  }
  return results;
}

function settingsLine({ settings, step, eventsPerMessage, eventsPerInvocation }: SettingsResult): string {
  const { pointersPerEntry, publisherLingerMillis, batchSize } = settings;
  return [
    `pointersPerEntry ${pointersPerEntry}, publisherLingerMillis ${publisherLingerMillis}, batchSize ${batchSize}`,
    `${step.asked}/s requested, ${step.held.toFixed(0)} held, ${step.settledPerSecond.toFixed(0)} settled`,
    `lag p50 ${step.lag.p50} ms, p99 ${step.lag.p99} ms`,
    `${eventsPerMessage.toFixed(1)} events per message, ${eventsPerInvocation.toFixed(1)} per invocation`,
  ].join('; ');
}
