/** Is the graph in step, and if not, where do events wait? */
import { type ComponentChild, type ComponentChildren, h } from 'preact';
import type { StatusReport, StatusVerdict } from '../../cli/status/status-report.ts';
import type { Sent, StatusMessage } from '../messages.ts';
import { explain } from './ask-server.ts';
import { Charts } from './charts.ts';
import { count, duration, timeOfDay } from './format.ts';
import type { Live } from './live.ts';
import { Empty, Time } from './parts.ts';
import { hrefOf } from './route.ts';
import { Publishers, Queues, Types } from './status-tables.ts';

type Report = Sent<StatusReport>;

export const verdictWords: Readonly<Record<StatusVerdict, string>> = {
  'in-step': 'In step',
  'catching-up': 'Catching up',
  'out-of-step': 'Out of step',
};

/** Each has its own shape, to be distinguishable without colour. */
const verdictSigns: Readonly<Record<StatusVerdict, string>> = {
  'in-step': '✓',
  'catching-up': '↻',
  'out-of-step': '!',
};

const verdictSentences: Readonly<Record<StatusVerdict, string>> = {
  'in-step': 'The graph follows MongoDB. No event is stale or dead.',
  'catching-up': 'Events wait, and are being settled.',
  'out-of-step': 'The graph does not follow MongoDB correctly.',
};

export function StatusPage({ live }: { readonly live: Live }): ComponentChild {
  const { status, history } = live;
  if (status === null) return h(Empty, null, 'Reading the first status …');
  const { report } = status;
  return h(
    'div',
    { class: 'sections' },
    h(Verdict, { status, isThere: live.connection === 'live' }),
    report !== null && [
      h(Figures, { key: 'figures', report }),
      h(Charts, { key: 'charts', history }),
      h(Types, { key: 'types', report }),
      h(Queues, { key: 'queues', report }),
      h(Publishers, { key: 'publishers', report }),
    ],
  );
}

interface VerdictProps {
  readonly status: StatusMessage;
  /** The console's server. */
  readonly isThere: boolean;
}

/** While the status cannot be read, the verdict is unknown: an old one is not shown. */
function Verdict({ status: { report, failure }, isThere }: VerdictProps): ComponentChild {
  if (failure !== null || !isThere) {
    const why = failure === null ? 'The console does not answer.' : explain(failure);
    const old = report === null ? '' : ` Below is the status of ${timeOfDay(report.at)}.`;
    return h(Banner, { kind: 'not-known', sign: '?', words: 'Unknown' }, h('p', null, why, old));
  }
  if (report === null) return null;
  const { verdict, reasons, dead } = report;
  return h(
    Banner,
    { kind: verdict, sign: verdictSigns[verdict], words: verdictWords[verdict] },
    reasons.length === 0
      ? h('p', null, verdictSentences[verdict])
      : h(
          'ul',
          null,
          reasons.map((reason) => h('li', { key: reason }, reason)),
          dead > 0 && h('li', null, h('a', { href: hrefOf({ view: 'dead' }) }, 'See why, and redrive them')),
        ),
  );
}

interface BannerProps {
  readonly kind: StatusVerdict | 'not-known';
  readonly sign: string;
  readonly words: string;
  readonly children?: ComponentChildren;
}

function Banner({ kind, sign, words, children }: BannerProps): ComponentChild {
  return h(
    'section',
    { class: `verdict ${kind}`, 'aria-labelledby': 'verdict' },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, sign),
    // Screen readers announce only this, because the numbers below change all the time.
    h('div', null, h('h2', { id: 'verdict', 'aria-live': 'polite' }, words), children),
  );
}

interface FigureProps {
  readonly title: string;
  readonly value: ComponentChildren;
  readonly note?: ComponentChildren;
}

function Figure({ title, value, note }: FigureProps): ComponentChild {
  return h('div', null, h('dt', null, title), h('dd', { class: 'value' }, value), h('dd', { class: 'note' }, note));
}

/** Events are counted up to this. */
const countedAtMost = 1_000_000;

function bounded(events: number): string {
  return events < countedAtMost ? count(events) : `${count(events)} or more`;
}

function Figures({ report }: { readonly report: Report }): ComponentChild {
  const { at: now, pending, dead, types, lag, settledPerSecond, lastSettledAt, canary } = report;
  const oldest = types.flatMap(({ oldestPendingAt }) => oldestPendingAt ?? []).sort()[0];
  return h(
    'dl',
    { class: 'figures' },
    h(Figure, {
      title: 'Pending',
      value: bounded(pending),
      note: oldest === undefined ? 'none' : ['oldest written ', h(Time, { at: oldest, now })],
    }),
    h(Figure, {
      title: 'Dead',
      value: bounded(dead),
      note: dead === 0 ? 'none' : h('a', { href: hrefOf({ view: 'dead' }) }, 'see why, and redrive'),
    }),
    h(Figure, {
      title: 'Lag, p95',
      value: lag === null ? '–' : duration(lag.p95Millis),
      note:
        lag === null
          ? 'none settled in the last minute'
          : `p50 ${duration(lag.p50Millis)}, at most ${duration(lag.maxMillis)}`,
    }),
    h(Figure, {
      title: 'Settled a second',
      value: count(settledPerSecond),
      note: lastSettledAt === null ? 'none yet' : ['last ', h(Time, { at: lastSettledAt, now })],
    }),
    h(Canary, { canary, now }),
  );
}

function Canary({ canary, now }: { readonly canary: Report['canary']; readonly now: string }): ComponentChild {
  const title = 'Canary';
  if (canary === null) return h(Figure, { title, value: '–', note: 'the sweep has not run' });
  const { writtenAt, processedAt } = canary;
  const note = ['written ', h(Time, { at: writtenAt, now })];
  if (processedAt === null) return h(Figure, { title, value: 'pending', note });
  const took = Date.parse(processedAt) - Date.parse(writtenAt);
  return h(Figure, { title, value: `took ${duration(Math.max(0, took))}`, note });
}
