/**
 * Serves the files of the page, by exact name: no other file is served. The page's own modules are
 * one script, which is built in the package, and on demand in a clone. The modules of libraries are
 * served from where they are installed.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

const pageFolder = fileURLToPath(new URL('../page/', import.meta.url));
const script = 'page/main.js';
const require = createRequire(import.meta.url);

/** The import names of libraries, and the files served for them. */
const libraries = {
  preact: 'preact.mjs',
  'preact/hooks': 'preact-hooks.mjs',
  'preact/jsx-runtime': 'preact-jsx-runtime.mjs',
  uplot: 'uplot.mjs',
} as const;

/** Call it once. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const uplot = path.join(path.dirname(require.resolve('uplot/package.json')), 'dist');
  const served = readdirSync(pageFolder).filter((name) => name.endsWith('.css') || name.endsWith('.js'));
  const files: readonly (readonly [string, string])[] = [
    [libraries.preact, importedFile('preact')],
    [libraries['preact/hooks'], importedFile('preact/hooks')],
    [libraries['preact/jsx-runtime'], importedFile('preact/jsx-runtime')],
    [libraries.uplot, path.join(uplot, 'uPlot.esm.js')],
    ['uplot.css', path.join(uplot, 'uPlot.min.css')],
    ...served.map((name) => [`page/${name}`, path.join(pageFolder, name)] as const),
  ];
  const assets = new Map(files.map(([name, file]) => [name, toAsset(name, readFileSync(file, 'utf8'))]));
  return assets.has(script) ? assets : assets.set(script, toAsset(script, buildScript()));
}

function importedFile(name: string): string {
  return fileURLToPath(import.meta.resolve(name));
}

function toAsset(name: string, body: string): Asset {
  return { contentType: `text/${name.endsWith('.css') ? 'css' : 'javascript'}; charset=utf-8`, body };
}

/** Builds the page's script from its sources, with a package that only contributors install. */
export function buildScript(): string {
  const { buildSync } = require('esbuild') as typeof import('esbuild');
  const { outputFiles } = buildSync({
    entryPoints: [path.join(pageFolder, 'main.tsx')],
    bundle: true,
    format: 'esm',
    charset: 'utf8',
    external: Object.keys(libraries),
    write: false,
  });
  return outputFiles.map(({ text }) => text).join('');
}

/**
 * Renders the page and its content security policy: nothing from other sites, only its own scripts,
 * and no frames around it.
 */
export function renderPage(): { readonly html: string; readonly policy: string } {
  const nonce = randomBytes(16).toString('base64');
  const imports = Object.fromEntries(Object.entries(libraries).map(([name, file]) => [name, `./${file}`]));
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>outgraph console</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="uplot.css">
<link rel="stylesheet" href="page/page.css">
<link rel="stylesheet" href="page/status.css">
<link rel="stylesheet" href="page/aggregate.css">
<script type="importmap" nonce="${nonce}">${JSON.stringify({ imports })}</script>
<script type="module" src="${script}"></script>
</head>
<body>
<noscript>The console needs JavaScript. "outgraph status" shows the status in a terminal.</noscript>
<div id="console"></div>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { html, policy };
}
