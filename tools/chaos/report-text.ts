/** A chaos run's report as text. */
import type { ChaosReport } from './run-chaos.ts';

export function chaosText(report: ChaosReport): string {
  const faults = Object.entries(report.faults).map(([kind, count]) => `    ${String(count).padStart(4)}  ${kind}`);
  const findings = report.findings.slice(0, 30).map((finding) => `  ${finding}`);
  const verdict =
    report.findings.length === 0
      ? 'Nothing is lost: every event is settled, and the graph matches the documents.'
      : `Problems (${report.findings.length}):\n${findings.join('\n')}`;
  return `
Seed ${report.seed}: ${report.commits} acknowledged commits, ${report.events} events: \
${report.processed} processed, ${report.pending} pending, ${report.dead} dead.

  faults, by kind
${faults.join('\n')}

  duplicates sent                ${report.duplicatesSent}
  messages received again        ${report.redeliveries}
  messages of settled events     ${report.deliveredInVain}
  longest recovery from a fault  ${report.longestRecoverySeconds.toFixed(1)} s
  draining at the end            ${report.drainSeconds.toFixed(1)} s
  in the dead-letter queue       ${report.deadLetters} (all unreadable messages)
  bad events, dead in the end    ${report.badEvents}
  graph                          ${report.nodes} nodes, ${report.relationships} relationships

${verdict}
`;
}
