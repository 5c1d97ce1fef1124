/**
 * The system's Chromium, without a screen, for tests that look at a page as a person does. A developer without one is
 * told how to get it, and those tests are skipped; where changes are decided on (`CI`), it must be there.
 */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Where it is; null where it is not. `OUTGRAPH_CHROMIUM` names another place. */
export const chromiumPath: string | null = findChromium();

function findChromium(): string | null {
  const found = [process.env.OUTGRAPH_CHROMIUM ?? '', ...places].find(isExecutable);
  if (found !== undefined) return found;
  const advice = 'Chromium is missing: install it ("apt-get install chromium"), or name one with OUTGRAPH_CHROMIUM.';
  if (process.env.CI === 'true') throw new Error(advice);
  console.warn(`${advice} The tests of the console's page are skipped.`);
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Starts it. */
export function startChromium(): Promise<Browser> {
  // Its sandbox cannot be made where the tests run as root; it opens nothing but our own page.
  return chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });
}

/** What axe finds wrong for people who do not see well, or use no mouse: one line each, with the element. */
export async function accessibilityViolations(page: Page): Promise<readonly string[]> {
  const { source } = createRequire(import.meta.url)('axe-core') as { readonly source: string };
  // As a text: the page's own policy lets no script in, and the browser's debugger is not bound by it.
  await page.evaluate(source);
  const { violations } = (await page.evaluate('axe.run()')) as AxeResults;
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`));
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}
