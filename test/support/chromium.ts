/**
 * The system's Chromium, headless, for tests that look at a page as a person does. Without it,
 * those tests are skipped with a hint how to install it; in CI (`CI`), it is required.
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

/** The path of Chromium; null if it is not installed. `OUTGRAPH_CHROMIUM` names another path. */
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

/** Starts Chromium. */
export function startChromium(): Promise<Browser> {
  // The sandbox does not work if the tests run as root. The browser opens only our own page.
  return chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox'] });
}

/** Accessibility problems that axe finds, one line each, with the element. */
export async function accessibilityViolations(page: Page): Promise<readonly string[]> {
  const { source } = createRequire(import.meta.url)('axe-core') as { readonly source: string };
  // Evaluated as text, because the page's policy allows no scripts. The browser's debugger is not
  // bound by it.
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
