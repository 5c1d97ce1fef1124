import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../../tools/local/paths.ts';
import { packageVersion, readVersions, writeVersions } from '../../../tools/release/versions.ts';

it('has one version in the server, the three writers and every file that names it', () => {
  const wanted = packageVersion(projectRoot);
  for (const [file, named] of readVersions(projectRoot)) {
    expect(named, file).not.toStrictEqual([]);
    expect([...new Set(named)], file).toStrictEqual([wanted]);
  }
});

it('can be set in all of them at once, and back, to three numbers only', () => {
  const wanted = '12.0.30';
  const root = mkdtempSync(path.join(tmpdir(), 'outgraph-versions-'));
  try {
    const before = readVersions(projectRoot);
    for (const file of before.keys()) cpSync(path.join(projectRoot, file), path.join(root, file));
    writeVersions(root, wanted);
    for (const [file, named] of readVersions(root))
      expect(named, file).toStrictEqual(before.get(file)?.map(() => wanted));
    expect(() => writeVersions(root, '1.0.0-rc.1')).toThrow('A version is three numbers');
    writeVersions(root, packageVersion(projectRoot));
    expect(readVersions(root)).toStrictEqual(before);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
