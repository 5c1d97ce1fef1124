/**
 * `npm run smoke -- --stage <stage>`: proves a stage on AWS. Deploys it, examines it with real
 * events, and removes it. Exits 0 only if every check that is possible here has passed.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Command, InvalidArgumentError } from 'commander';
import { collect, count, positive, Refusal, readDatabaseSettings, runCommand } from '../../cli/terminal/run-command.ts';
import { Exit, noFiles, type Shell } from '../../cli/terminal/shell.ts';
import { projectRoot } from '../local/paths.ts';
import { isProven, resultsText, runChecks } from './check.ts';
import { deployments } from './deployment.ts';
import { deleteDocuments, eventAfterPause, eventChecks } from './events.ts';
import { functions } from './functions.ts';
import { alarm, deadLetter, metrics } from './observation.ts';
import { planText } from './plan.ts';
import { prerequisites } from './prerequisites.ts';
import { removal } from './removal.ts';
import { closeStage, createStage, readAccount, readStackStatus, type SmokeStage, type Wave } from './stage.ts';

interface Options {
  readonly stage: string;
  readonly region?: string;
  readonly service: string;
  readonly existing?: true;
  readonly param?: readonly string[];
  readonly events: readonly Wave[];
  readonly idleSeconds: number;
  readonly minutes: number;
  readonly yes?: true;
  readonly json?: true;
}

const help = `
It needs AWS credentials, AWS_REGION (or --region), and the settings of the
operator's commands: MONGODB_URI, MONGODB_DATABASE, NEO4J_URI, … The stage's
secrets must be in place: docs/how-to/deploy-to-aws.md. The catalog of the
service needs the type "graph". With AWS_ENDPOINT_URL it runs on LocalStack.`;

const options = new Command('npm run smoke --')
  .description('Deploy a stage to AWS, prove that it works, and remove it.')
  .requiredOption('--stage <stage>', 'the stage; it must not exist yet')
  .option('--region <region>', 'region (default: AWS_REGION)')
  .option('--service <folder>', 'folder of the serverless.yml', path.join(projectRoot, 'xmem'))
  .option('--existing', 'examine a stage that exists; neither deploy nor remove it')
  .option('--param <name=value>', 'parameter of the deployment; can be repeated', collect(param))
  .option('--events <list>', 'events to send, one wave after the other', waves, waves('1,1000,100x1MB'))
  .option('--idle-seconds <count>', 'the idle pause', count, 180)
  .option('--minutes <count>', 'time limit; the removal comes on top', positive, 30)
  .option('--yes', 'do not ask')
  .option('--json', 'print the results as one line of JSON')
  .addHelpText('after', help)
  .parse()
  .opts<Options>();

const interruption = new AbortController();
// A second Ctrl-C ends the process at once, without the removal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort());

const shell: Shell = {
  environment: process.env,
  directory: process.cwd(),
  files: noFiles(),
  stdout: process.stdout,
  stderr: process.stderr,
  ask: process.stdin.isTTY ? ask : null,
  signal: interruption.signal,
};

try {
  await smoke();
} catch (error) {
  if (!(error instanceof Exit)) throw error;
  process.exitCode = error.exitCode;
}
// A check that was ended by the time limit must not keep the process alive.
process.stdout.write('', () => process.exit());

async function smoke(): Promise<void> {
  const databases = await readDatabaseSettings(shell);
  await runCommand(shell, options, async ({ confirm, say }) => {
    const region = options.region ?? process.env.AWS_REGION;
    if (region === undefined) throw new Refusal('The region is never guessed: set AWS_REGION, or pass --region.');
    const folder = path.resolve(options.service);
    const stage = createStage({
      stage: options.stage,
      region,
      folder,
      service: await readServiceName(folder),
      params: options.param ?? [],
      waves: options.events,
      idleSeconds: options.idleSeconds,
      existing: options.existing === true,
      endpoint: process.env.AWS_ENDPOINT_URL,
      databases,
      logFile: path.join(projectRoot, '.outgraph/smoke', `${Date.now()}.log`),
    });
    try {
      await refuseWrongStage(stage);
      await confirm(planText(stage, await readAccount(stage), options.minutes));
      const limit = AbortSignal.any([shell.signal, AbortSignal.timeout(options.minutes * 60_000)]);
      const results = await runChecks(checksOf(stage), stage, limit, say);
      const outcome = shell.signal.aborted ? 'interrupted' : isProven(results) ? 'done' : 'wrong';
      return { outcome, text: `\n${resultsText(results)}`, facts: { stage: stage.name, checks: results } };
    } finally {
      closeStage(stage);
    }
  });
}

function checksOf({ waves: planned }: SmokeStage) {
  const observed = [deadLetter, eventAfterPause, metrics, alarm, deleteDocuments];
  return [...prerequisites, ...deployments, ...functions, ...eventChecks(planned), ...observed, ...removal];
}

async function refuseWrongStage(stage: SmokeStage): Promise<void> {
  const status = await readStackStatus(stage);
  if (status !== undefined && !stage.existing)
    throw new Refusal(
      `The stack ${stage.name} exists already (${status}): choose another --stage, or pass --existing.`,
    );
  if (status === undefined && stage.existing)
    throw new Refusal(`There is no stack ${stage.name} in ${stage.region}: leave out --existing to deploy it.`);
}

async function readServiceName(folder: string): Promise<string> {
  const file = path.join(folder, 'serverless.yml');
  const text = await readFile(file, 'utf8').catch(() => '');
  const name = /^service: *(\S+)/m.exec(text)?.[1];
  if (name === undefined) throw new Refusal(`${file} names no service: pass the folder of a service with --service.`);
  return name;
}

function param(text: string): string {
  if (!/^\w+=/.test(text)) throw new InvalidArgumentError('It must be name=value.');
  return text;
}

/** `1,1000,100x1MB`. */
function waves(text: string): readonly Wave[] {
  return text.split(',').map((wave) => {
    const [, number = '', megabytes = '0'] = /^(\d+)(?:x(\d+)MB)?$/.exec(wave) ?? [];
    if (!(Number(number) > 0) || Number(megabytes) > 14)
      throw new InvalidArgumentError(
        'It must be a list of counts, with sizes of at most 14 MB, such as 1,1000,100x1MB.',
      );
    return { count: Number(number), megabytes: Number(megabytes) };
  });
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return lines.question(question, { signal: interruption.signal }).finally(() => lines.close());
}
