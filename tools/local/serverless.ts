/** Runs the project's Serverless on a stage. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { projectRoot } from './paths.ts';
import { runCommand } from './run-command.ts';

export interface ServerlessCommand {
  readonly command: 'deploy' | 'remove';
  readonly stage: string;
  readonly region: string;
  /** Params of `serverless.yml`, as `name=value`. */
  readonly params: readonly string[];
  /** The folder of `serverless.yml`. */
  readonly folder: string;
  readonly databases: { readonly MONGODB_DATABASE: string; readonly NEO4J_DATABASE: string };
  /** Further variables, such as those that lead to LocalStack. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** The start of the error's message. */
  readonly onFailure: string;
  readonly signal: AbortSignal;
}

/** Resolves once it has succeeded. @throws StackError with the end of its output. */
export async function runServerless(given: ServerlessCommand): Promise<void> {
  const { command, stage, region, params, folder, databases, env, ...rest } = given;
  // Serverless does not remove the files that it unpacks for zipping.
  const temporary = path.join(folder, '.temporary');
  await mkdir(temporary, { recursive: true });
  try {
    await runCommand({
      command: process.execPath,
      args: [
        path.join(projectRoot, 'node_modules/serverless/bin/serverless.js'),
        ...[command, '--stage', stage, '--region', region, '--verbose'],
        ...params.flatMap((param) => ['--param', param]),
      ],
      cwd: folder,
      env: {
        MONGODB_DATABASE: databases.MONGODB_DATABASE,
        NEO4J_DATABASE: databases.NEO4J_DATABASE,
        AWS_REGION: region,
        TMPDIR: temporary,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
        ...env,
      },
      ...rest,
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
