/**
 * Outlives the process that started it by a moment: when the pipe from it closes, this process
 * stops whatever it had not stopped itself, so that a killed run leaves no server behind.
 */
import { createInterface } from 'node:readline';

const watched = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [word, pid] = line.split(' ');
    if (word === 'watch') watched.add(Number(pid));
    else watched.delete(Number(pid));
  })
  .on('close', () => {
    signalAll('SIGTERM');
    if (watched.size > 0) setTimeout(() => signalAll('SIGKILL'), 5_000);
  });

function signalAll(signal) {
  for (const pid of watched) {
    try {
      process.kill(-pid, signal);
    } catch {
      watched.delete(pid);
    }
  }
}
