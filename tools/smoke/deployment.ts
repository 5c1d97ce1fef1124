/** Deploys the stage, again, and with a broken setting that must roll back. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../local/paths.ts';
import { runCommand } from '../local/run-command.ts';
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
  {
    name: 'The stage can be deployed',
    phase: 'deployment',
    skip: ofOthers,
    run: async (stage, signal) => {
      await serverless(stage, 'deploy', [], signal);
      return expectStatus(stage, /^(CREATE|UPDATE)_COMPLETE$/);
    },
  },
  {
    name: 'It can be deployed again',
    phase: 'deployment',
    skip: ofOthers,
    run: async (stage, signal) => {
      await serverless(stage, 'deploy', [], signal);
      return expectStatus(stage, /^UPDATE_COMPLETE$/);
    },
  },
  {
    name: 'A deployment with a broken setting is rolled back',
    phase: 'deployment',
    skip: ofRollbacks,
    run: async (stage, signal) => {
      const failed = await serverless(stage, 'deploy', [brokenParam], signal).then(
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
  {
    name: 'After the rollback, it can be deployed again',
    phase: 'deployment',
    skip: ofRollbacks,
    run: async (stage, signal) => {
      await serverless(stage, 'deploy', [], signal);
      return expectStatus(stage, /^UPDATE_COMPLETE$/);
    },
  },
];

/** Runs `serverless` on the stage. @throws StackError with the end of its output. */
export async function serverless(
  stage: SmokeStage,
  command: 'deploy' | 'remove',
  params: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await untilStable(stage);
  // Serverless does not remove the files that it unpacks for zipping.
  const temporary = path.join(stage.folder, '.temporary');
  await mkdir(temporary, { recursive: true });
  const given = [...stage.params, ...params].flatMap((param) => ['--param', param]);
  try {
    await runCommand({
      command: process.execPath,
      args: [
        path.join(projectRoot, 'node_modules/serverless/bin/serverless.js'),
        ...[command, '--stage', stage.stage, '--region', stage.region, '--verbose', ...given],
      ],
      cwd: stage.folder,
      env: {
        MONGODB_DATABASE: stage.databases.MONGODB_DATABASE,
        NEO4J_DATABASE: stage.databases.NEO4J_DATABASE,
        AWS_REGION: stage.region,
        TMPDIR: temporary,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
      },
      logFile: stage.logFile,
      onFailure: `"serverless ${command}" failed. Correct what the end of its output names (${stage.logFile}):`,
      signal,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
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
