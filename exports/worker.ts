/**
 * `outgraph/worker`: publisher, consumer and sweep in one resident process, and the set-up that they
 * need.
 */
// biome-ignore-all lint/performance/noBarrelFile: an entry point of the package. Its names are stable; the files behind
// them may move.
export {
  type Environment,
  readSettings,
  type SetUpSettings,
  setUpSettings,
  type WorkerSettings,
  workerSettings,
} from '../lib/runtime/settings.ts';
export { setUpOnce } from '../lib/set-up/wiring.ts';
export { answerProbes, type ObservedWorker } from '../lib/worker/answer-probes.ts';
export { type WorkerLog, workerLog } from '../lib/worker/log.ts';
export type { Readiness } from '../lib/worker/readiness.ts';
export { startWorker, type Worker } from '../lib/worker/wiring.ts';
