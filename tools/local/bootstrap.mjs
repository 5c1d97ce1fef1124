/**
 * The first step of every npm script, with any Node on the machine: installs the pinned packages if
 * they are missing or out of date, then runs the given TypeScript file with the Node 24 among them
 * (tools/node). Only Linux has one: elsewhere, the machine's Node must be 24 or newer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const pinnedNode = path.join(root, 'node_modules/.bin/node');
/** Servers end within seconds. A child that has not ended by then is stuck. */
const endMillis = 25_000;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`outgraph needs Node 20.19 or newer to start, and this is ${process.versions.node}: install a newer Node.`);
}

if (!isInstalled()) {
  console.error('Installing the npm packages (npm ci) …');
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (install.signal !== null) process.exit(130);
  if (install.status !== 0) fail('npm ci failed: see its message above; the package registry must be reachable.');
}

const hasPinnedNode = existsSync(pinnedNode);
if (!hasPinnedNode && major < 24) {
  fail(`There is no pinned Node for this system, and this is ${process.versions.node}: install Node 24 or newer.`);
}

const [script, ...args] = process.argv.slice(2);
const child = spawn(hasPinnedNode ? pinnedNode : process.execPath, [path.join(root, script), ...args], {
  cwd: root,
  stdio: 'inherit',
});
// A terminal signals the whole group; others signal only this process, or npm, which does not
// forward the signal. The child stops what it has started, and this process ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(signal));
if (process.env.npm_lifecycle_event !== undefined) watchParent(process.ppid);
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)));

function end(signal) {
  child.kill(signal);
  setTimeout(() => child.kill('SIGKILL'), endMillis).unref();
}

/** If npm was ended, by `timeout`, systemd or CI, this run must end too. */
function watchParent(parent) {
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end('SIGTERM');
  }, 500);
  timer.unref();
}

/**
 * Whether every package of the lock file that this machine can use is installed, according to npm's
 * own record.
 */
function isInstalled() {
  try {
    const wanted = packagesOf('package-lock.json');
    const present = packagesOf('node_modules/.package-lock.json');
    return Object.entries(wanted).every(([name, { version, integrity, optional }]) => {
      const found = present[name];
      if (name === '' || (found === undefined && optional)) return true;
      return found !== undefined && found.version === version && found.integrity === integrity;
    });
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
