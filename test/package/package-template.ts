/**
 * Packages the real `serverless.yml` as a deployment does, and lints templates. Nothing is deployed.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { localCredentials } from '../../tools/local/credentials.ts';
import { withDeploymentFolder } from '../../tools/local/deployment-folder.ts';
import { installLocalstack } from '../../tools/local/localstack.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { printStep } from '../../tools/local/progress.ts';

/** A stage of `serverless.yml` with these params. */
export interface Packaging {
  readonly stage: string;
  readonly params: readonly string[];
  /** False: without `AWS_REGION` in the environment. */
  readonly inRegion?: false;
}

/** A stage with an Atlas Trigger as the ingress, a customer key and a VPC. */
export const atlasPackaging: Packaging = {
  stage: 'prod',
  params: [
    'ingress=atlas',
    'partnerEventSource=aws.partner/mongodb.com/stitch.trigger/0123456789abcdef01234567',
    'encryption=customer',
    'kmsKeyArn=arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012',
    'network=vpc',
    'vpcSubnetIds=subnet-12345678,subnet-87654321',
    'vpcSecurityGroupIds=sg-12345678',
  ],
};

/** The deployed combinations of stage and parameters. Each is packaged, linted and checked. */
export const packagings: readonly Packaging[] = [
  { stage: 'local', params: [] },
  { stage: 'dev', params: [] },
  { stage: 'prod', params: [] },
  { stage: 'prod', params: ['secretService=secretsmanager'] },
  atlasPackaging,
];

/** Regions for a deployment. Some rules of cfn-lint depend on them. */
const regions = ['us-east-1', 'eu-central-1'];

/** Rules of cfn-lint that are ignored, each with its reason. */
const ignoredRules: readonly { readonly rule: string; readonly reason: string }[] = [
  { rule: 'W3005', reason: 'Serverless adds a DependsOn for the role that a function refers to anyway' },
];

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface PackagedTemplate {
  readonly resources: Readonly<Record<string, TemplateResource>>;
  /** The template, as JSON. */
  readonly text: string;
  /** Sizes of the zip files in bytes, and whether there are source maps in them. */
  readonly zips: ReadonlyMap<string, { readonly bytes: number; readonly hasSourceMaps: boolean }>;
}

const packaged = new Map<string, Promise<PackagedTemplate>>();

/**
 * Packages one combination, once for all tests.
 *
 * @throws Error with the output of Serverless.
 */
export function packageTemplate(packaging: Packaging): Promise<PackagedTemplate> {
  const key = JSON.stringify(packaging);
  const template = packaged.get(key) ?? packageOne(packaging);
  packaged.set(key, template);
  return template;
}

async function packageOne({ stage, params, inRegion }: Packaging): Promise<PackagedTemplate> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-package-'));
  try {
    const serverless = path.join(projectRoot, 'node_modules/serverless/bin/serverless.js');
    const args = ['package', '--stage', stage, '--package', folder, ...params.flatMap((param) => ['--param', param])];
    const env: NodeJS.ProcessEnv = { ...process.env, ...localCredentials, TMPDIR: folder, SLS_TELEMETRY_DISABLED: '1' };
    if (inRegion === false) delete env.AWS_REGION;
    // Packagings that run side by side in one folder would bundle into the same files.
    await withDeploymentFolder('.', (cwd) =>
      promisify(execFile)(process.execPath, [serverless, ...args], { cwd, env }),
    );
    const text = await readFile(path.join(folder, 'cloudformation-template-update-stack.json'), 'utf8');
    const { Resources } = JSON.parse(text) as { Resources: PackagedTemplate['resources'] };
    return { resources: Resources, text, zips: await readZips(folder) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readZips(folder: string): Promise<PackagedTemplate['zips']> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.zip'));
  const zips = names.map(async (name) => {
    const zip = await readFile(path.join(folder, name));
    // The names of files are not compressed.
    return [name, { bytes: zip.length, hasSourceMaps: zip.includes('.cjs.map') }] as const;
  });
  return new Map(await Promise.all(zips));
}

/**
 * Lints a template, given as text, with the cfn-lint that LocalStack installs. Returns its findings,
 * including warnings.
 */
export async function lint(text: string): Promise<unknown> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-lint-'));
  const template = path.join(folder, 'template.json');
  await writeFile(template, text);
  const installation = await installLocalstack(printStep, new AbortController().signal);
  // Its console script contains the path of its original folder.
  const run = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  const ignored = ignoredRules.flatMap(({ rule }) => ['--ignore-checks', rule]);
  const args = ['-c', run, '--template', template, '--regions', ...regions, '--format', 'json', ...ignored];
  try {
    const { stdout } = await promisify(execFile)(path.join(installation, 'bin/python'), args);
    return JSON.parse(stdout);
  } catch (error) {
    // A finding also causes an exit code. Without a list of findings, cfn-lint itself has failed.
    const { stdout } = error as { readonly stdout?: string };
    if (!stdout?.startsWith('[')) throw error;
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
