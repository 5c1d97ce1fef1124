/**
 * What runs the worker elsewhere than on Lambda, checked with the tools and schemas of each
 * platform: the image, Docker Compose, Kubernetes, ECS and systemd; and the workflows of GitHub.
 * None of it is run here.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settings } from '../../lib/runtime/settings.ts';
import { projectRoot } from '../../tools/local/paths.ts';
import { findPython } from '../../tools/local/prerequisites.ts';
import { installPythonTools } from '../support/python-tools.ts';
import { runTool } from '../support/run-tool.ts';
import { lint } from './package-template.ts';

const python = findPython();
if (python === undefined && process.env.OUTGRAPH_ALL_WRITERS === '1')
  throw new Error('What is deployed cannot be checked: install Python 3.11 or newer.');

const kubernetes = 'deploy/kubernetes';
const unit = 'deploy/systemd/outgraph-worker.service';
const read = (file: string) => readFile(path.join(projectRoot, file), 'utf8');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'outgraph-deploy-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a changed copy, which must not pass. Returns its path. */
async function spoiled(file: string, from: string, to: string): Promise<string> {
  const text = await read(file);
  expect(text).toContain(from);
  const copy = path.join(folder, path.basename(file));
  await writeFile(copy, text.replace(from, to));
  return copy;
}

describe.skipIf(python === undefined)('the project (needs Python 3.11 or newer)', () => {
  let bin: string;
  beforeAll(async () => {
    const requirements = path.join(projectRoot, 'tools/deploy-checks/requirements.txt');
    const title = 'the tools that check what is deployed (60 MB)';
    bin = path.join(await installPythonTools(python ?? '', { name: 'deploy-checks', title, requirements }), 'bin');
  });
  const run = (command: string, args: readonly string[]) =>
    runTool({ command: path.join(bin, 'python'), args: [path.join(bin, command), ...args], cwd: projectRoot, env: {} });

  it('has a Dockerfile that passes hadolint', async () => {
    const lintImage = (file: string) =>
      runTool({ command: path.join(bin, 'hadolint'), args: [file], cwd: projectRoot, env: {} });
    expect(await lintImage('Dockerfile')).toBe('');
    await expect(lintImage(await spoiled('Dockerfile', 'node:24-trixie-slim', 'node'))).rejects.toThrow('DL3006');
  });

  it('has an image that runs as a user other than root, and whose base has no shell', async () => {
    const lines = (await read('Dockerfile')).split('\n');
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
    expect(last[0]).toMatch(/^FROM gcr\.io\/distroless\/nodejs24-debian13:nonroot$/);
    expect(last.filter((line) => /^(USER|RUN|SHELL|ARG)/.test(line))).toStrictEqual(['USER 65532:65532']);
  });

  it('has a Compose file that follows the published schema', async () => {
    const check = (file: string) => run('check-jsonschema', ['--builtin-schema', 'vendor.compose-spec', file]);
    await check('compose.yaml');
    await expect(check(await spoiled('compose.yaml', 'read_only', 'readonly'))).rejects.toThrow('compose.yaml');
  });

  // The oldest and the newest of which the tool has all schemas.
  it.each(['1.30', '1.37'])('has manifests that follow the published schemas of Kubernetes %s', async (version) => {
    const check = (files: readonly string[]) => run('kubernetes-validate', ['--strict', '-k', version, ...files]);
    const names = await readdir(path.join(projectRoot, kubernetes));
    expect(names.sort()).toStrictEqual(['set-up.yaml', 'settings.yaml', 'worker.yaml']);
    await check(names.map((name) => `${kubernetes}/${name}`));
    const wrong = await spoiled(`${kubernetes}/worker.yaml`, 'livenessProbe', 'livenesProbe');
    await expect(check([wrong])).rejects.toThrow('livenesProbe');
  });

  it.each(['writers/python', 'xmem/python'])('has a Python package that builds and passes twine: %s', async (name) => {
    const dist = path.join(folder, name);
    const python = (args: readonly string[]) =>
      runTool({ command: path.join(bin, 'python'), args: ['-m', ...args], cwd: projectRoot, env: {} });
    await python(['build', '--no-isolation', '--outdir', dist, name]);
    const built = await readdir(dist);
    expect(built).toHaveLength(2);
    await python(['twine', 'check', '--strict', ...built.map((file) => path.join(dist, file))]);
  });

  it('has workflows that follow the published schema', async () => {
    const workflows = '.github/workflows';
    const check = (file: string) => run('check-jsonschema', ['--builtin-schema', 'vendor.github-workflows', file]);
    for (const name of await readdir(path.join(projectRoot, workflows))) await check(`${workflows}/${name}`);
    await expect(check(await spoiled(`${workflows}/ci.yml`, 'runs-on', 'run-on'))).rejects.toThrow('ci.yml');
  });
});

it('has a template for ECS that passes cfn-lint', async () => {
  expect(await lint(await read('deploy/ecs/worker.yml'))).toStrictEqual([]);
});

const systemd = hasSystemd();
it.skipIf(!systemd)('has a unit that systemd accepts, and whose exposure systemd rates as OK', async () => {
  const verify = async (from: string, to: string) =>
    runTool({ command: 'systemd-analyze', args: ['verify', await spoiled(unit, from, to)], cwd: folder, env: {} });
  // It looks for the program too.
  await verify('/usr/bin/node', process.execPath);
  const security = ['security', '--no-pager', '--offline=true', '--threshold=20', path.join(projectRoot, unit)];
  await runTool({ command: 'systemd-analyze', args: security, cwd: folder, env: {} });
  await expect(verify('/usr/bin/node', '/usr/bin/no-node')).rejects.toThrow('no-node');
});

it('names only settings that exist', async () => {
  const files = ['Dockerfile', 'compose.yaml', 'deploy/ecs/worker.yml', unit];
  files.push(...(await readdir(path.join(projectRoot, kubernetes))).map((name) => `${kubernetes}/${name}`));
  const texts = await Promise.all(files.map(read));
  const named = texts.join('\n').match(/\b(?:MONGODB|NEO4J|OUTGRAPH|WORKER)_[A-Z_]+\b/g) ?? [];
  // The variable of Neo4j's own image, and the setting that allows plain connections.
  const known = [...Object.keys(settings.shape), 'NEO4J_AUTH'];
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !known.includes(name))).toStrictEqual([]);
});

/** `security --offline` came with systemd 250. */
function hasSystemd(): boolean {
  try {
    const version = execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
    return Number(/^systemd (\d+)/.exec(version)?.[1]) >= 250;
  } catch {
    return false;
  }
}
