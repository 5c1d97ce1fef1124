/** `outgraph/worker`: the whole path in one resident process, and the set-up that it needs. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the files behind them may move.
export {
  type Environment,
  readSettings,
  type SetUpSettings,
  setUpSettings,
  type WorkerSettings,
  workerSettings,
} from '../lib/config/settings.ts';
export { setUpOnce } from '../lib/wiring/set-up.ts';
export { startWorker, type Worker, type WorkerLog } from '../lib/wiring/worker.ts';
export { workerLog } from '../lib/wiring/worker-log.ts';
