/** The console as an operator runs it: the real command, with the test's own servers. */
import { waitUntil } from '../../../tools/local/wait-until.ts';
import { type RunningOutgraph, startOutgraph } from '../../support/run-outgraph.ts';

export interface StartedConsole extends RunningOutgraph {
  /** The printed address, with the token. */
  readonly url: string;
  /** The origin of the address, without the token. */
  readonly origin: string;
  readonly token: string;
}

/**
 * Starts the console and waits for its address.
 *
 * @throws Error with its output if it ends first.
 */
export async function startConsole(
  settings: Readonly<Record<string, string>>,
  start = startOutgraph,
): Promise<StartedConsole> {
  let printed = '';
  const running = start(['console'], settings, (text) => {
    printed += text;
  });
  let end: string | null = null;
  void running.ended.then(({ exitCode, stderr }) => {
    end = `It ended with ${exitCode}: ${stderr}`;
  });
  const url = await waitUntil(async () => end ?? /^http:.+$/m.exec(printed)?.[0], {
    timeoutSeconds: 30,
    pollMillis: 50,
    what: 'the console to print its address',
  });
  if (end !== null) throw new Error(end);
  const { origin, pathname } = new URL(url);
  return { ...running, url, origin, token: pathname.split('/')[1] ?? '' };
}
