/**
 * The first step of every npm script, under whatever Node the machine has: installs the pinned packages if they are missing or out of date, then
 * runs the given TypeScript file with the Node 24 that came with them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const node = path.join(root, 'node_modules/.bin/node');
const stamp = path.join(root, 'node_modules/.outgraph-lock');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`outgraph needs Node 20.19 or newer to start, and this is ${process.versions.node}: install a newer Node.`);
}

const digest = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');
if (!existsSync(node) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  console.error('Installing the npm packages (npm ci) …');
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (install.signal !== null) process.exit(130);
  if (install.status !== 0) fail('npm ci failed: see its message above; the package registry must be reachable.');
  writeFileSync(stamp, digest);
}

const [script, ...args] = process.argv.slice(2);
const child = spawn(node, [path.join(root, script), ...args], { cwd: root, stdio: 'inherit' });
// A terminal signals the whole group; anyone else signals only this process. The child ends what it has started, and we with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));

function fail(message) {
  console.error(message);
  process.exit(1);
}
