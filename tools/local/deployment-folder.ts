/**
 * A folder to deploy from. Serverless writes its packages beside `serverless.yml`, so concurrent
 * deployments need separate folders.
 */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from './paths.ts';

/** A service of this project: the one in its root, or XMem's. */
export type ServiceFolder = '.' | 'xmem';

/** What Serverless and the bundler read in addition to the service. */
const linked = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'node_modules',
  'infra',
  'functions',
  'lib',
  'exports',
];

/** Creates the folder for `deploy` and removes it afterwards. */
export async function withDeploymentFolder<Result>(
  service: ServiceFolder,
  deploy: (folder: string) => Promise<Result>,
): Promise<Result> {
  const root = await mkdtemp(path.join(tmpdir(), 'outgraph-deployment-'));
  const folder = path.join(root, service);
  const link = (name: string) => symlink(path.join(projectRoot, name), path.join(root, name));
  try {
    await mkdir(folder, { recursive: true });
    await Promise.all(linked.map(link));
    if (service !== '.') {
      const names = await readdir(path.join(projectRoot, service));
      const sources = names.filter((name) => !name.startsWith('.') && name !== 'serverless.yml');
      await Promise.all(sources.map((name) => link(path.join(service, name))));
    }
    // Serverless does not accept a symbolic link here.
    await cp(path.join(projectRoot, service, 'serverless.yml'), path.join(folder, 'serverless.yml'));
    return await deploy(folder);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
