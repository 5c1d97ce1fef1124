/**
 * `npm run build`: compiles what the package ships into `dist/`: `exports/`, `cli/` and the
 * console's page with all their imports. `npm pack` runs it first.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildScript } from '../console/server/assets.ts';
import { projectRoot } from './local/paths.ts';

/**
 * Empties a folder and compiles into it.
 *
 * @throws Error with the compiler's output.
 */
export function buildPackage(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  compile('tsconfig.build.json', folder);
  const [page, filter] = ['console/page', (name: string) => path.extname(name) === '' || name.endsWith('.css')];
  cpSync(path.join(projectRoot, page), path.join(folder, page), { recursive: true, filter });
  writeFileSync(path.join(folder, page, 'main.js'), buildScript());
  const roles = 'infra/permissions/neo4j-roles.cypher';
  cpSync(path.join(projectRoot, roles), path.join(folder, roles));
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.d.ts')) nameJavaScript(path.join(folder, name));
  }
}

function compile(project: string, folder: string): void {
  const compiler = path.join(projectRoot, 'node_modules/typescript-native/bin/tsc');
  const args = ['-p', path.join(projectRoot, project), '--outDir', folder];
  const { status, stdout } = spawnSync(process.execPath, [compiler, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The package does not compile:\n${stdout}`);
}

/**
 * The compiler leaves `.ts` in the imports of declarations, which not all tools can follow.
 * https://github.com/microsoft/TypeScript/issues/61037
 */
function nameJavaScript(file: string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replaceAll(/((?:from |import\()(['"])\.{1,2}\/.+?)\.ts\2/g, '$1.js$2'));
}

if (import.meta.main) buildPackage(path.join(projectRoot, 'dist'));
