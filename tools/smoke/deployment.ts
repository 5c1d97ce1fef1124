/** Deploys the stage, again, and with a broken setting that must roll back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { runServerless } from '../local/serverless.ts';
import { StackError } from '../local/stack-error.ts';
import type { Check } from './check.ts';
import { isLocalstack, readStackStatus, type SmokeStage } from './stage.ts';

/** Why a check of a deployment is skipped on an existing stage. */
export const ofOthers = ({ existing }: SmokeStage) =>
  existing ? 'with --existing, the stage is neither deployed nor removed' : undefined;

/** LocalStack 4.13 reports ROLLBACK_COMPLETE and then UPDATE_COMPLETE, and restores nothing. */
const ofRollbacks = (stage: SmokeStage) =>
  ofOthers(stage) ?? (isLocalstack(stage) ? 'LocalStack does not roll deployments back' : undefined);

/** The set-up refuses it, before it connects to a database. */
const brokenParam = 'processedRetentionDays=0';

export const deployments: readonly Check[] = [
  deployment('The stage can be deployed', ofOthers, /^(CREATE|UPDATE)_COMPLETE$/),
  deployment('It can be deployed again', ofOthers, /^UPDATE_COMPLETE$/),
  {
    name: 'A deployment with a broken setting is rolled back',
    phase: 'deployment',
    skip: ofRollbacks,
    run: async (stage, signal) => {
      const failed = await serverless(stage, 'deploy', signal, [brokenParam]).then(
        () => false,
        () => true,
      );
      if (!failed)
        throw new StackError(
          `A deployment with ${brokenParam} succeeded. Its set-up must fail: look at the custom resource SetUpRun of ` +
            `the stack ${stage.name}.`,
        );
      return expectStatus(stage, /^UPDATE_ROLLBACK_COMPLETE$/);
    },
  },
  deployment('After the rollback, it can be deployed again', ofRollbacks, /^UPDATE_COMPLETE$/),
];

function deployment(name: string, skip: (stage: SmokeStage) => string | undefined, expected: RegExp): Check {
  const run: Check['run'] = async (stage, signal) => {
    await serverless(stage, 'deploy', signal);
    return expectStatus(stage, expected);
  };
  return { name, phase: 'deployment', skip, run };
}

/** Runs `serverless` on the stage. @throws StackError with the end of its output. */
export async function serverless(
  stage: SmokeStage,
  command: 'deploy' | 'remove',
  signal: AbortSignal,
  params: readonly string[] = [],
): Promise<void> {
  await untilStable(stage);
  await runServerless({
    command,
    stage: stage.stage,
    region: stage.region,
    params: [...stage.params, ...params],
    folder: stage.folder,
    databases: stage.databases,
    logFile: stage.logFile,
    onFailure: `"serverless ${command}" failed. Correct what the end of its output names (${stage.logFile}):`,
    signal,
  });
}

/** Waits until CloudFormation has finished what an interrupted command has begun. */
export async function untilStable(stage: SmokeStage): Promise<string | undefined> {
  for (;;) {
    const status = await readStackStatus(stage);
    if (status === undefined || !/_IN_PROGRESS$/.test(status)) return status;
    await sleep(1_000);
  }
}

async function expectStatus(stage: SmokeStage, expected: RegExp): Promise<string> {
  const status = (await untilStable(stage)) ?? 'no stack';
  if (!expected.test(status))
    throw new StackError(
      `The stack ${stage.name} is in ${status}, not in ${expected.source.replace(/[$^]/g, '')}. ` +
        "Look at the stack's events in CloudFormation.",
    );
  return status;
}
