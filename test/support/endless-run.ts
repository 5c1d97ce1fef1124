/**
 * A run whose servers would outlive it: prints the ids of its processes and runs until it is
 * interrupted.
 */
import { startInBackground } from '../../tools/local/children.ts';
import { runWithServers } from '../../tools/local/run-with-stack.ts';

await runWithServers({
  start: async (signal) => {
    const sleep = { name: 'sleep', command: 'sleep', args: ['600'], cwd: '/', logFile: '/dev/null' };
    const server = startInBackground(sleep);
    signal.addEventListener('abort', () => void server.kill());
    return { ...server, broken: server.ended };
  },
  run: (server, signal) => {
    process.stdout.write(`${JSON.stringify({ run: process.pid, server: server.pid })}\n`);
    // As work fails whose server is gone.
    signal.addEventListener('abort', () => {
      setTimeout(() => Promise.reject(new Error('The server is gone.')));
    });
    return new Promise(() => setInterval(() => undefined, 1_000));
  },
});
