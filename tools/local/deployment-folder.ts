/** A folder to deploy from. Serverless puts what it packages beside `serverless.yml`: two deployments at once need two of them. */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { projectRoot } from './paths.ts';

/** What Serverless reads besides serverless.yml, which it does not take as a link. */
const linked = ['package.json', 'package-lock.json', 'tsconfig.json', 'node_modules', 'infra', 'functions', 'lib'];

/** Gives it to `deploy`, and removes it afterwards. */
export async function withDeploymentFolder<Result>(deploy: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'outgraph-deployment-'));
  try {
    await cp(path.join(projectRoot, 'serverless.yml'), path.join(folder, 'serverless.yml'));
    await Promise.all(linked.map((name) => symlink(path.join(projectRoot, name), path.join(folder, name))));
    return await deploy(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
