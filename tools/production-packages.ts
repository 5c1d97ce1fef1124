/**
 * The packages that outgraph ships or stands on where it runs: those that the lock file has not for development alone. A bundle carries what a production package may use if it is
 * there (a driver's optional peer), and so that counts too; what only some platforms have is left out.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { init, type ModuleInfos } from 'license-checker-rseidelsohn';
import type { LicensedPackage } from './licence-page.ts';
import { projectRoot } from './local/paths.ts';

interface LockedPackage {
  readonly version: string;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

/** Each with the licence that its installed files say. @throws Error if one is not installed. */
export async function readProductionPackages(): Promise<readonly LicensedPackage[]> {
  // The checker calls a function in a way that Node warns of; nothing of ours is to be mended.
  process.noDeprecation = true;
  const installed: ModuleInfos = await promisify(init)({ start: projectRoot, production: true });
  return [...lockedForProduction()].map((id) => {
    const found = installed[id];
    if (found === undefined) throw new Error(`${id} is not installed as package-lock.json says: run "npm ci".`);
    const at = id.lastIndexOf('@');
    const licence = [found.licenses ?? 'none'].flat().join(' AND ');
    return { name: id.slice(0, at), version: id.slice(at + 1), licence, link: found.repository ?? '' };
  });
}

/** `name@version` of each. */
function lockedForProduction(): ReadonlySet<string> {
  const lock = JSON.parse(readFileSync(path.join(projectRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const ids = new Set<string>();
  for (const [place, { version, dev, os, cpu }] of Object.entries(lock.packages)) {
    const name = place.split('node_modules/').at(-1) ?? '';
    const isOfSomePlatforms = os !== undefined || cpu !== undefined;
    if (name !== '' && dev !== true && !isOfSomePlatforms) ids.add(`${name}@${version}`);
  }
  return ids;
}
