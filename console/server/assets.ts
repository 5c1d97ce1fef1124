/**
 * The files of the page, by exact name: no other file is served. Its own modules are compiled in the package, and
 * stripped of their types in a clone. Those of libraries are served from where they are installed.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import nodeModule, { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

const javascript = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';
const pageFolder = fileURLToPath(new URL('../page/', import.meta.url));

/** The import names of libraries, and the files served for them. */
const libraries = {
  preact: 'preact.mjs',
  'preact/hooks': 'preact-hooks.mjs',
  uplot: 'uplot.mjs',
} as const;

/** Call it once. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const { resolve } = createRequire(import.meta.url);
  const uplot = path.join(path.dirname(resolve('uplot/package.json')), 'dist');
  const assets = new Map<string, Asset>([
    [libraries.preact, { contentType: javascript, body: readImported('preact') }],
    [libraries['preact/hooks'], { contentType: javascript, body: readImported('preact/hooks') }],
    [libraries.uplot, { contentType: javascript, body: readFileSync(path.join(uplot, 'uPlot.esm.js'), 'utf8') }],
    ['uplot.css', { contentType: css, body: readFileSync(path.join(uplot, 'uPlot.min.css'), 'utf8') }],
  ]);
  for (const name of readdirSync(pageFolder)) {
    const text = () => readFileSync(path.join(pageFolder, name), 'utf8');
    if (name.endsWith('.css')) assets.set(`page/${name}`, { contentType: css, body: text() });
    if (name.endsWith('.js')) assets.set(`page/${name}`, { contentType: javascript, body: text() });
    if (name.endsWith('.ts') && !name.endsWith('.d.ts'))
      // From the default export: a Node without this function could not load a named import of it.
      assets.set(`page/${name}`, { contentType: javascript, body: nodeModule.stripTypeScriptTypes(text()) });
  }
  return assets;
}

function readImported(name: string): string {
  return readFileSync(fileURLToPath(import.meta.resolve(name)), 'utf8');
}

/** The page and its content security policy: nothing from other sites, only its own scripts, no frames around it. */
export function renderPage(assets: ReadonlyMap<string, Asset>): { readonly html: string; readonly policy: string } {
  const nonce = randomBytes(16).toString('base64');
  const main = assets.has('page/main.ts') ? 'page/main.ts' : 'page/main.js';
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
<script type="module" src="${main}"></script>
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
