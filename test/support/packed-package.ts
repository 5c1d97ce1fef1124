/**
 * The package as `npm pack` creates it, and as another team's service has it in its `node_modules`.
 * Its dependencies are linked from the project instead of being downloaded: exactly those in its
 * `package.json`, so that an undeclared dependency is missing here too.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildPackage } from '../../tools/build.ts';
import { projectRoot } from '../../tools/local/paths.ts';

const run = promisify(execFile);

/** The dependencies that a `package.json` declares. */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The output of `npm pack`. */
export interface Tarball {
  readonly file: string;
  /** Bytes, packed and unpacked. */
  readonly size: number;
  readonly unpackedSize: number;
  /** Paths in the package. */
  readonly names: readonly string[];
}

/**
 * Builds and packs in a separate folder, because concurrent tests would otherwise overwrite each
 * other's `dist/`.
 */
export async function packPackage(folder: string): Promise<Tarball> {
  const source = path.join(folder, 'source');
  const { files } = await readJson<{ readonly files: readonly string[] }>(path.join(projectRoot, 'package.json'));
  const tops = new Set(files.map((name) => name.split('/')[0] ?? name));
  tops.delete('dist');
  for (const name of ['package.json', 'README.md', 'LICENSE', ...tops])
    await cp(path.join(projectRoot, name), path.join(source, name), { recursive: true });
  buildPackage(path.join(source, 'dist'));
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: source, maxBuffer: 16 * 1024 * 1024 });
  const [packed] = JSON.parse(stdout) as readonly {
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
  }[];
  if (packed === undefined) throw new Error(`npm pack created nothing: ${stdout}`);
  const { filename, size, unpackedSize } = packed;
  return { file: path.join(folder, filename), size, unpackedSize, names: packed.files.map((one) => one.path) };
}

/**
 * Unpacks the tarball into the service's `node_modules`, and links the dependencies of both.
 *
 * @param others dependencies to link from another folder of the project's `node_modules`.
 */
export async function installPackage(
  tarball: Tarball,
  service: string,
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  const installed = path.join(service, 'node_modules/outgraph');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', tarball.file, '-C', installed, '--strip-components=1']);
  const own = await readJson<Manifest>(path.join(service, 'package.json'));
  const needed = await readJson<Manifest>(path.join(installed, 'package.json'));
  const names = new Set([
    ...Object.keys({ ...own.dependencies, ...own.devDependencies }),
    ...Object.keys({ ...needed.dependencies, ...needed.peerDependencies }),
  ]);
  names.delete('outgraph');
  for (const name of names) {
    const link = path.join(service, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(projectRoot, 'node_modules', others[name] ?? name), link);
  }
}

/** Copies the example to a separate folder and installs the package there. Returns the folder. */
export async function installExample(tarball: Tarball, name: string, folder: string): Promise<string> {
  const service = path.join(folder, name);
  const made = new Set(['node_modules', '.serverless', '.esbuild']);
  const filter = (source: string) => !made.has(path.basename(source));
  await cp(path.join(projectRoot, 'examples', name), service, { recursive: true, filter });
  await installPackage(tarball, service);
  return service;
}

async function readJson<Content>(file: string): Promise<Content> {
  return JSON.parse(await readFile(file, 'utf8')) as Content;
}
