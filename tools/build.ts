/**
 * `npm run build`: compiles what the two packages ship into their `dist/`, with all imports. The
 * writer (`writers/typescript`) ships the modules of `lib/` that it needs, and the server imports
 * them from there. `npm pack` runs it first.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildScript } from '../console/server/assets.ts';
import { projectRoot } from './local/paths.ts';

/** Where the server finds the modules of `lib/` that the writer ships. */
const writerModules = 'outgraph-writer/internal';

/**
 * Compiles server and writer into the `dist/` of their packages' folders.
 *
 * @throws Error with the compiler's output.
 */
export function buildPackages(serverFolder: string, writerFolder: string): void {
  buildWriter(writerFolder);
  const [server, writer] = [path.join(serverFolder, 'dist'), path.join(writerFolder, 'dist')];
  rmSync(server, { recursive: true, force: true });
  compile('tsconfig.build.json', server);
  const [page, filter] = ['console/page', (name: string) => path.extname(name) === '' || name.endsWith('.css')];
  cpSync(path.join(projectRoot, page), path.join(server, page), { recursive: true, filter });
  writeFileSync(path.join(server, page, 'main.js'), buildScript());
  const roles = 'infra/permissions/neo4j-roles.cypher';
  cpSync(path.join(projectRoot, roles), path.join(server, roles));
  nameJavaScript(server);
  importFromWriter(server, writer);
}

/**
 * Compiles the writer into the `dist/` of its package's folder, and adds the licence.
 *
 * @throws Error with the compiler's output.
 */
export function buildWriter(folder: string): void {
  const dist = path.join(folder, 'dist');
  rmSync(dist, { recursive: true, force: true });
  compile('writers/typescript/tsconfig.json', dist);
  nameJavaScript(dist);
  cpSync(path.join(projectRoot, 'LICENSE'), path.join(folder, 'LICENSE'));
}

/**
 * Removes from the server the modules that the writer ships, and imports them from there: with two
 * copies, a writer's `Fault` would be none of the server's.
 */
function importFromWriter(server: string, writer: string): void {
  const shared = filesOf(path.join(writer, 'lib'), '.js', '.ts').map((name) => path.join(server, 'lib', name));
  for (const file of shared) rmSync(file, { force: true });
  const isShared = new Set(shared);
  for (const name of filesOf(server, '.js', '.ts')) {
    const file = path.join(server, name);
    replaceImports(file, (imported) => {
      const target = path.resolve(path.dirname(file), imported);
      if (!isShared.has(target)) return imported;
      return `${writerModules}/${path.relative(path.join(server, 'lib'), target).slice(0, -'.js'.length)}`;
    });
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
function nameJavaScript(folder: string): void {
  for (const name of filesOf(folder, '.d.ts'))
    replaceImports(path.join(folder, name), (imported) => imported.replace(/\.ts$/, '.js'));
}

/** Replaces what a compiled file imports by a relative path. */
function replaceImports(file: string, replace: (imported: string) => string): void {
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replaceAll(
      /(?<before>(?:from |import |import\()(?<quote>['"]))(?<imported>\.{1,2}\/.+?)\k<quote>/g,
      (_match, before: string, quote: string, imported: string) => `${before}${replace(imported)}${quote}`,
    ),
  );
}

/** The files below a folder with one of these endings, as paths in it. */
function filesOf(folder: string, ...endings: readonly string[]): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    endings.some((ending) => name.endsWith(ending)),
  );
}

if (import.meta.main) {
  const writer = path.join(projectRoot, 'writers/typescript');
  if (process.argv[2] === 'writer') buildWriter(writer);
  else buildPackages(projectRoot, writer);
}
