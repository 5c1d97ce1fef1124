/**
 * The consumer's ports besides outbox and graph, for tests that are not about them: every server
 * answers, no process has crashed, no time passes.
 */
import type { ConsumePorts } from '../../lib/consumer/ports.ts';

export const calmPorts = {
  checkServers: async () => undefined,
  prepareTypes: async () => [],
  readCrashedTrials: async () => new Map(),
  beginTrial: async () => 'trial',
  endTrial: async () => undefined,
  forgetTrials: async () => undefined,
  answers: async () => true,
  countSlow: async () => undefined,
  readFailures: async () => new Map(),
  countConflict: async () => 1,
  countFailure: async () => 1,
  moveToDeadLetters: async (messages) => messages,
  retryLater: async () => undefined,
  remainingMillis: () => 60_000,
  random: () => 0.5,
} satisfies Partial<ConsumePorts>;
