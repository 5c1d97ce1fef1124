/** Bundles the functions as the deployment does, and lists what each bundle contains. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { projectRoot } from './local/paths.ts';

/** One function's bundle. */
export interface Bundle {
  readonly name: string;
  /** The JavaScript, without the source map. */
  readonly code: Uint8Array;
  /** `NODE_OPTIONS` as deployed. */
  readonly nodeOptions: string;
  /** Size in bytes of each npm package in it; `outgraph` is our own code. */
  readonly packages: ReadonlyMap<string, number>;
}

type BundleOptions = Required<Pick<BuildOptions, 'platform' | 'target' | 'format' | 'bundle' | 'minify' | 'keepNames'>>;

type Environment = Readonly<Record<string, string>>;

interface ServerlessConfig {
  readonly provider: { readonly environment: Environment };
  readonly functions: Readonly<Record<string, { readonly handler: string; readonly environment: Environment }>>;
  readonly custom: { readonly esbuild: BundleOptions };
}

/** Reads `serverless.yml` in a folder of the project, and bundles every function in it. */
export async function bundleFunctions(folder: string): Promise<readonly Bundle[]> {
  const service = path.join(projectRoot, folder);
  const { provider, functions, custom } = await readServerlessConfig(service);
  return Promise.all(
    Object.entries(functions).map(async ([name, { handler, environment }]) => ({
      name,
      nodeOptions: environment.NODE_OPTIONS ?? provider.environment.NODE_OPTIONS ?? '',
      ...(await bundleFile(path.join(service, `${handler.slice(0, handler.lastIndexOf('.'))}.ts`), custom.esbuild)),
    })),
  );
}

async function bundleFile(file: string, options: BundleOptions): Promise<Pick<Bundle, 'code' | 'packages'>> {
  const { platform, target, format, bundle, minify, keepNames } = options;
  const result = await build({
    entryPoints: [file],
    absWorkingDir: projectRoot,
    platform,
    target,
    format,
    bundle,
    minify,
    keepNames,
    write: false,
    metafile: true,
    logLevel: 'silent',
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`The bundle of ${file} is empty.`);
  const packages = new Map<string, number>();
  for (const { inputs } of Object.values(result.metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      const owner = packageOf(input);
      packages.set(owner, (packages.get(owner) ?? 0) + bytesInOutput);
    }
  }
  return { code: output.contents, packages };
}

/** The innermost package that a file belongs to. */
export function packageOf(file: string): string {
  const inside = file.split('node_modules/').at(-1) ?? file;
  if (inside === file) return 'outgraph';
  const [first = '', second = ''] = inside.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

async function readServerlessConfig(cwd: string): Promise<ServerlessConfig> {
  const serverless = path.join(projectRoot, 'node_modules/serverless/bin/serverless.js');
  const { stdout } = await promisify(execFile)(process.execPath, [serverless, 'print', '--format', 'json'], {
    cwd,
    env: {
      ...process.env,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    },
  });
  return JSON.parse(stdout.slice(stdout.indexOf('{')));
}
