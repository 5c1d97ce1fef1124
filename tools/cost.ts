/**
 * What a deployment costs in a month, line by line: `docs/cost.md` holds the table that this prints, and a unit test compares them. Prices and assumptions are named values with their sources, so that
 * whoever has others changes them here.
 *
 *     node tools/cost.ts              prints the tables
 *     node tools/cost.ts --write      puts them into docs/cost.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './local/paths.ts';

/** US dollars in us-east-1, without free tiers and discounts; docs/cost.md says where each is from. */
export const prices = {
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  busEvent: 1 / 1e6,
  queueRequest: 0.4 / 1e6,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
  logGb: 0.5,
  logGbMonth: 0.03,
  secretMonth: 0.4,
  archiveGb: 0.1,
  archiveGbMonth: 0.1,
  fargateVcpuHour: 0.03238,
  fargateGbHour: 0.00356,
} as const;

/** What is assumed, and not measured on AWS. */
export const assumptions = {
  /** A consumer's batch on Lambda: fixed, and for each event. On the benchmark's machine it takes 0.123 ms for each; a function of 1 GB has about half a processor, and a network to its servers. */
  batchSeconds: 0.05,
  eventSeconds: 0.0004,
  /** Pollers of a queue, each with a batch of its own; a busy one has fuller batches. */
  pollers: 5,
  fullBatchEvents: 500,
  publisherGb: 0.5,
  /** An invocation is there for 70 s of each minute: the next one waits for the lease for ten. */
  publishersAtOnce: 70 / 60,
  consumerGb: 1,
  sweepGb: 0.5,
  sweepSeconds: 2,
  /** Long polls of 20 s while nothing comes. */
  idlePollSeconds: 20,
  /** EventBridge sends each message by itself; Lambda receives and deletes ten at a time. */
  queueRequestsPerEvent: 1 + 1 / 10 + 1 / 10,
  logBytesPerInvocation: 2_000,
  logRetentionMonths: 1,
  metrics: 23,
  alarms: 12,
  secrets: 2,
  /** A pointer in its envelope. */
  busEventBytes: 500,
  archiveDays: 14,
  /** Two workers, so that one may end: each with two processors and 4 GB. */
  workers: { count: 2, vcpu: 2, gb: 4 },
} as const;

const monthHours = 730;
const monthSeconds = monthHours * 3_600;
const monthMinutes = monthHours * 60;

/** One line of the bill, with its arithmetic for people. */
export interface CostLine {
  readonly name: string;
  readonly arithmetic: string;
  readonly dollars: number;
}

/** Batches that consumers begin in a second. */
export function batchesPerSecond(eventsPerSecond: number): number {
  return Math.min(eventsPerSecond, Math.max(assumptions.pollers, eventsPerSecond / assumptions.fullBatchEvents));
}

/** How many consumers are busy at any moment, on the average. */
export function busyConsumers(eventsPerSecond: number): number {
  return batchesPerSecond(eventsPerSecond) * assumptions.batchSeconds + eventsPerSecond * assumptions.eventSeconds;
}

/** The bill of the functions at a steady rate. */
export function functionsCost(eventsPerSecond: number): readonly CostLine[] {
  const a = assumptions;
  const events = eventsPerSecond * monthSeconds;
  const batches = batchesPerSecond(eventsPerSecond) * monthSeconds;
  const invocations = batches + 2 * monthMinutes;
  const consumerGbSeconds = busyConsumers(eventsPerSecond) * a.consumerGb * monthSeconds;
  const publisherGbSeconds = a.publishersAtOnce * a.publisherGb * monthSeconds;
  const sweepGbSeconds = a.sweepSeconds * a.sweepGb * monthMinutes;
  const queueRequests = events * a.queueRequestsPerEvent + (a.pollers * monthSeconds) / a.idlePollSeconds;
  const logGb = (invocations * a.logBytesPerInvocation) / 1e9;
  const archivedGb = (events * a.busEventBytes) / 1e9;
  const storedGb = (archivedGb * a.archiveDays) / (monthHours / 24);
  return [
    line('Lambda, publisher', `${count(publisherGbSeconds)} GB-s`, publisherGbSeconds * prices.lambdaGbSecond),
    line('Lambda, consumer', `${count(consumerGbSeconds)} GB-s`, consumerGbSeconds * prices.lambdaGbSecond),
    line('Lambda, sweep', `${count(sweepGbSeconds)} GB-s`, sweepGbSeconds * prices.lambdaGbSecond),
    line('Lambda, requests', count(invocations), invocations * prices.lambdaRequest),
    line('EventBridge, events', count(events), events * prices.busEvent),
    line('SQS, requests', count(queueRequests), queueRequests * prices.queueRequest),
    line(
      'CloudWatch, metrics, alarms, dashboard',
      `${a.metrics} metrics, ${a.alarms} alarms, 1 dashboard`,
      a.metrics * prices.metricMonth + a.alarms * prices.alarmMonth + prices.dashboardMonth,
    ),
    line(
      'CloudWatch, logs',
      `${gigabytes(logGb)} in, kept a month`,
      logGb * (prices.logGb + a.logRetentionMonths * prices.logGbMonth),
    ),
    line('Secrets Manager', `${a.secrets} secrets`, a.secrets * prices.secretMonth),
    line(
      'EventBridge, archive (optional)',
      `${gigabytes(archivedGb)} in, ${gigabytes(storedGb)} stored`,
      archivedGb * prices.archiveGb + storedGb * prices.archiveGbMonth,
    ),
  ];
}

/** The bill of two workers in containers instead; the same at every rate that they keep up with. */
export function workersCost(): number {
  const { count: workers, vcpu, gb } = assumptions.workers;
  return workers * monthHours * (vcpu * prices.fargateVcpuHour + gb * prices.fargateGbHour);
}

/** The rates of the tables. */
export const rates = [1, 100, 5_000] as const;

/** The tables of docs/cost.md. */
export function costTables(): string {
  const tables = rates.map((rate) => {
    const lines = functionsCost(rate);
    const sum = lines.reduce((total, { dollars: one }) => total + one, 0);
    const rows = lines.map(({ name, arithmetic, dollars: one }) => `| ${name} | ${arithmetic} | ${dollars(one)} |`);
    return [
      `### ${rate.toLocaleString('en-US')} events per second`,
      '',
      `${count(rate * monthSeconds)} events in a month; ${batchesPerSecond(rate)} batches a second, ${busyConsumers(rate).toFixed(2)} consumers busy.`,
      '',
      '| line | quantity | $ a month |',
      '|---|---|---|',
      ...rows,
      `| **sum** | | **${dollars(sum)}** |`,
    ].join('\n');
  });
  const { count: workers, vcpu, gb } = assumptions.workers;
  const worker = `### Two workers instead, at any of these rates\n\n${workers} × ${monthHours} h × (${vcpu} vCPU × $${prices.fargateVcpuHour} + ${gb} GB × $${prices.fargateGbHour}) = **$${dollars(workersCost())}** a month, without bus, queue and functions.`;
  return [...tables, worker].join('\n\n');
}

function line(name: string, arithmetic: string, amount: number): CostLine {
  return { name, arithmetic, dollars: amount };
}

function dollars(amount: number): string {
  return amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function count(amount: number): string {
  if (amount >= 1e6) return `${(amount / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 })} million`;
  return Math.round(amount).toLocaleString('en-US');
}

function gigabytes(amount: number): string {
  return `${amount.toLocaleString('en-US', { maximumFractionDigits: 1 })} GB`;
}

const marks = ['<!-- made by tools/cost.ts: node tools/cost.ts --write -->', '<!-- end -->'] as const;

/** A page whose tables are those of today. */
export function withCostTables(page: string): string {
  const [begin, end] = marks;
  const start = page.indexOf(begin) + begin.length;
  return `${page.slice(0, start)}\n${costTables()}\n${page.slice(page.indexOf(end))}`;
}

/** The page that holds them. */
export const costPage = path.join(projectRoot, 'docs/cost.md');

if (import.meta.main) {
  if (process.argv.includes('--write')) writeFileSync(costPage, withCostTables(readFileSync(costPage, 'utf8')));
  else process.stdout.write(`${costTables()}\n`);
}
