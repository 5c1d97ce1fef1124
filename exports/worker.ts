/** `outgraph/worker`: the whole path in one resident process, and the set-up that it needs. */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package, whose names are promised while the
// files behind them may move.
export {
  type Environment,
  readSettings,
  type SetUpSettings,
  setUpSettings,
  type WorkerSettings,
  workerSettings,
} from '../lib/runtime/settings.ts';
export { setUpOnce } from '../lib/set-up/wiring.ts';
export { type WorkerLog, workerLog } from '../lib/worker/log.ts';
export { startWorker, type Worker } from '../lib/worker/wiring.ts';
