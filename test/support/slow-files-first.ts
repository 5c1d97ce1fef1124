/**
 * Starts the slowest files of a group first, so that no processor waits for one of them at the end
 * of a run. Vitest knows how long a file took only where it ran before, and not in a fresh clone.
 */
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take more than two minutes, the slowest first. */
const slowFiles = [
  'test/failures/graph.test.ts',
  'test/failures/behind-the-queue.test.ts',
  'test/operations/two-workers.test.ts',
  'test/failures/alarms.test.ts',
  'test/failures/before-the-queue.test.ts',
  'test/failures/chaos.test.ts',
  'test/operations/smoke.test.ts',
  'test/integration/graph/convergence.test.ts',
  'test/operations/atlas-ingress.test.ts',
  'test/operations/runbook/neo4j-restore.test.ts',
  'test/operations/prometheus.test.ts',
  'test/neo4j-2026/upgrade.test.ts',
];

export class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const groupOf = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = slowFiles.indexOf(path.relative(this.ctx.config.root, moduleId));
      return rank === -1 ? slowFiles.length : rank;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => groupOf(a) - groupOf(b) || rankOf(a) - rankOf(b));
  }
}
