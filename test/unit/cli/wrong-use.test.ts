/** Wrong use of any command exits 2 before anything is read or asked; help exits 0. */
import { expect, it } from 'vitest';
import { startOutgraph } from '../../support/run-outgraph.ts';

it.each([
  ['an unknown command', ['bogus'], "unknown command 'bogus'"],
  ['no command', [], 'Usage: outgraph'],
  ['an invalid port', ['worker', '--port', 'x'], 'It must be a port'],
  ['a port for a worker that ends', ['worker', '--once', '--port', '9000'], "cannot be used with option '--port"],
  ['a privileged port', ['console', '--port', '80'], 'from 1024 to 65535, or 0'],
  ['no transaction time', ['backfill', 'memory-user', '--direct', '--transaction-seconds', '0'], 'at least 60'],
  [
    "a transaction time below MongoDB's limit",
    ['backfill', 'memory-user', '--direct', '--transaction-seconds', '59'],
    'at least 60',
  ],
  ['a prune without events', ['backfill', 'memory-user', '--direct', '--prune'], 'without --direct'],
  ['two scopes', ['verify', 'memory-user', '--id', 'a', '--filter', '{}'], 'only one of'],
  ['an id without its type', ['verify', '--id', 'a'], 'need one TYPE'],
  ['a filter of two types', ['backfill', 'memory-user', 'memory-event', '--filter', '{}'], 'need one TYPE'],
  ['an empty id', ['verify', 'memory-user', '--id', ''], '1 to 512 bytes'],
  ['a filter that is not JSON', ['verify', 'memory-user', '--filter', '{a: 1'], 'not Extended JSON'],
  ['a filter that is a list', ['verify', 'memory-user', '--filter', '[]'], 'must be an object'],
  ['a filter that is an id', ['verify', 'memory-user', '--filter', '{"$oid": "66a0c0ffee0123456789abcd"}'], 'object'],
  ['a time without its zone', ['verify', '--since', '2026-11-25T03:00:00'], 'with its zone'],
  ['a direct backfill of one', ['backfill', 'memory-user', '--id', 'a', '--direct'], 'leave out --direct'],
  ['a prune of one', ['backfill', 'memory-user', '--id', 'a', '--prune'], 'leave out --direct'],
  ['a quick repair', ['verify', '--repair', '--quick'], 'leave out --quick'],
  ['a selection of processed events', ['redrive', '--since', 'graph', '--type', 'order'], 'leave out --code'],
  ['more than a week', ['backfill', 'memory-user', '--transaction-seconds', '604801'], 'at most a week'],
])('%s: exits 2 and says what is wrong', async (_, args, reason) => {
  const run = await startOutgraph(args, {}).ended;
  expect(run).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(reason) });
});

it.each([[['--help']], [['worker', '--help']], [['help', 'status']]])('%j exits 0', async (args) => {
  expect(await startOutgraph(args, {}).ended).toMatchObject({ exitCode: 0, stderr: '' });
});
