/** `npx outgraph`: runs a command in a terminal or a container. */
import { createInterface } from 'node:readline/promises';
import { exitCodes } from './exit-codes.ts';
import { runOutgraph } from './run-outgraph.ts';

const interruption = new AbortController();
let isTerminated = false;
const interrupt = (signal: NodeJS.Signals) => {
  isTerminated = signal === 'SIGTERM';
  interruption.abort();
};
// Handle each signal only once: a second Ctrl-C ends the process immediately, which is also safe.
process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
// The reader of the output may stop before its end, as `head` does. Treat this as an interruption.
for (const output of [process.stdout, process.stderr])
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interruption.abort();
  });

const exitCode = await runOutgraph(process.argv.slice(2), {
  environment: process.env,
  directory: process.cwd(),
  stdout: process.stdout,
  stderr: process.stderr,
  ask: process.stdin.isTTY ? ask : null,
  signal: interruption.signal,
});
// A connection to a silent server, or anything that the catalog's module started, must not keep the
// process alive.
await Promise.all([process.stdout, process.stderr].map(flushed));
process.exit(isTerminated && exitCode === exitCodes.interrupted ? exitCodes.terminated : exitCode);

function flushed(output: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => output.write('', () => resolve()));
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal: interruption.signal });
  } finally {
    lines.close();
  }
}
