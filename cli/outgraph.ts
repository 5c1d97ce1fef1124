/** `npx outgraph`: runs a command in a terminal or a container. */
import { createInterface } from 'node:readline/promises';
import { wrongUse } from './read-settings.ts';
import { runOutgraph } from './run-outgraph.ts';

const interruption = new AbortController();
const interrupt = () => interruption.abort();
// Once only: a second Ctrl-C ends the process at once, which is as safe.
process.once('SIGINT', interrupt).once('SIGTERM', interrupt);

const exitCode = await runOutgraph(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  ask: process.stdin.isTTY ? ask : null,
  signal: interruption.signal,
});
// At once: a module that was named as the catalog may have started something.
if (exitCode === wrongUse) process.exit(exitCode);
process.exitCode = exitCode;

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: interruption.signal });
  } finally {
    lines.close();
  }
}
