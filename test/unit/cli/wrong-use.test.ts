/** Wrong use of any command ends with 2, before anything is read or asked; help ends with 0. */
import { expect, it } from 'vitest';
import { startOutgraph } from '../../support/run-outgraph.ts';

it.each([
  ['a command that is not there', ['bogus'], "unknown command 'bogus'"],
  ['no command', [], 'Usage: outgraph'],
  ['a port that is none', ['worker', '--health-port', 'x'], 'It must be a port'],
  ['a port that a browser leaves out', ['console', '--port', '80'], 'from 1024 to 65535, or 0'],
  ['no time for a transaction', ['backfill', 'memory-user', '--direct', '--transaction-seconds', '0'], 'at least 60'],
  ['less than MongoDB gives it', ['backfill', 'memory-user', '--direct', '--transaction-seconds', '59'], 'at least 60'],
  ['a pruning without events', ['backfill', 'memory-user', '--direct', '--prune'], 'without --direct'],
  ['a quick repair', ['verify', '--repair', '--quick'], 'leave out --quick'],
  ['some of the processed events', ['redrive', '--since', 'graph', '--type', 'order'], 'leave out --code'],
  ['more than a week', ['backfill', 'memory-user', '--transaction-seconds', '604801'], 'at most a week'],
])('%s: it ends with 2 and says what is wrong', async (_, args, reason) => {
  const run = await startOutgraph(args, {}).ended;
  expect(run).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(reason) });
});

it.each([[['--help']], [['worker', '--help']], [['help', 'status']]])('%j ends with 0', async (args) => {
  expect(await startOutgraph(args, {}).ended).toMatchObject({ exitCode: 0, stderr: '' });
});
