/**
 * The packages as `npm pack` creates them, and as another team's service has them in its
 * `node_modules`. Their dependencies are linked from the project instead of being downloaded:
 * exactly those in each `package.json`, so that an undeclared dependency is missing here too.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildPackages } from '../../tools/build.ts';
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

/** Both packages of a release. */
export interface Packages {
  readonly server: Tarball;
  readonly writer: Tarball;
}

/**
 * Builds and packs in separate folders, because concurrent tests would otherwise overwrite each
 * other's `dist/`.
 */
export async function packPackages(folder: string): Promise<Packages> {
  const [server, writer] = [path.join(folder, 'server-source'), path.join(folder, 'writer-source')];
  await copyShipped(projectRoot, server);
  await cp(path.join(projectRoot, 'LICENSE'), path.join(server, 'LICENSE'));
  await copyShipped(path.join(projectRoot, 'writers/typescript'), writer);
  buildPackages(server, writer);
  return { server: await pack(server, folder), writer: await pack(writer, folder) };
}

/** Copies what a package ships, except what its build makes. */
async function copyShipped(from: string, to: string): Promise<void> {
  const { files } = await readJson<{ readonly files: readonly string[] }>(path.join(from, 'package.json'));
  const tops = new Set(files.map((name) => name.split('/')[0] ?? name));
  tops.delete('dist');
  for (const name of ['package.json', 'README.md', ...tops])
    await cp(path.join(from, name), path.join(to, name), { recursive: true });
}

async function pack(source: string, folder: string): Promise<Tarball> {
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
 * Unpacks both tarballs into the service's `node_modules`, and links the dependencies of all three.
 *
 * @param others dependencies to link from another folder of the project's `node_modules`.
 */
export async function installPackages(
  { server, writer }: Packages,
  service: string,
  others: Readonly<Record<string, string>> = {},
): Promise<void> {
  const own = await readJson<Manifest>(path.join(service, 'package.json'));
  const names = new Set(Object.keys({ ...own.dependencies, ...own.devDependencies }));
  const unpacked = { outgraph: server, 'outgraph-writer': writer };
  for (const [name, { file }] of Object.entries(unpacked)) {
    const installed = path.join(service, 'node_modules', name);
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', file, '-C', installed, '--strip-components=1']);
    const { dependencies, peerDependencies } = await readJson<Manifest>(path.join(installed, 'package.json'));
    for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) names.add(needed);
  }
  for (const name of Object.keys(unpacked)) names.delete(name);
  for (const name of names) {
    const link = path.join(service, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(projectRoot, 'node_modules', others[name] ?? name), link);
  }
}

/** Copies the example to a separate folder and installs the packages there. Returns the folder. */
export async function installExample(packages: Packages, name: string, folder: string): Promise<string> {
  const service = path.join(folder, name);
  const made = new Set(['node_modules', '.serverless', '.esbuild']);
  const filter = (source: string) => !made.has(path.basename(source));
  await cp(path.join(projectRoot, 'examples', name), service, { recursive: true, filter });
  await installPackages(packages, service);
  return service;
}

async function readJson<Content>(file: string): Promise<Content> {
  return JSON.parse(await readFile(file, 'utf8')) as Content;
}
