/** Shows whether the graph is in step, and if not, where events wait. */
import type { ComponentChild, ComponentChildren } from 'preact';
import type { StatusReport, StatusVerdict } from '../../cli/status/status-report.ts';
import type { Sent, StatusMessage } from '../messages.ts';
import { explain } from './ask-server.ts';
import { Charts } from './charts.tsx';
import { count, duration, timeOfDay } from './format.ts';
import type { Live } from './live.ts';
import { Time } from './parts.tsx';
import { hrefOf } from './route.ts';
import { Publishers, Queues, Types } from './status-tables.tsx';

type Report = Sent<StatusReport>;

export const verdictWords: Readonly<Record<StatusVerdict, string>> = {
  'in-step': 'In step',
  'catching-up': 'Catching up',
  'out-of-step': 'Out of step',
};

/** Each sign has its own shape, so that it is distinguishable without colour. */
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
  if (status === null) return <p class="empty">Reading the first status …</p>;
  const { report } = status;
  return (
    <div class="sections">
      <Verdict status={status} isThere={live.connection === 'live'} />
      {report !== null && (
        <>
          <Figures report={report} />
          <Charts history={history} />
          <Types report={report} />
          <Queues report={report} />
          <Publishers report={report} />
        </>
      )}
    </div>
  );
}

interface VerdictProps {
  readonly status: StatusMessage;
  /** Whether the console's server is connected. */
  readonly isThere: boolean;
}

/** If the status cannot be read, the verdict is unknown. An old verdict is not shown. */
function Verdict({ status: { report, failure }, isThere }: VerdictProps): ComponentChild {
  if (failure !== null || !isThere)
    return (
      <Banner kind="not-known" sign="?" words="Unknown">
        <p>
          {failure === null ? 'The console does not answer.' : explain(failure)}
          {report !== null && ` Below is the status of ${timeOfDay(report.at)}.`}
        </p>
      </Banner>
    );
  if (report === null) return null;
  const { verdict, reasons, dead } = report;
  return (
    <Banner kind={verdict} sign={verdictSigns[verdict]} words={verdictWords[verdict]}>
      {reasons.length === 0 ? (
        <p>{verdictSentences[verdict]}</p>
      ) : (
        <ul>
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
          {dead > 0 && (
            <li>
              <a href={hrefOf({ view: 'dead' })}>See why, and redrive them</a>
            </li>
          )}
        </ul>
      )}
    </Banner>
  );
}

interface BannerProps {
  readonly kind: StatusVerdict | 'not-known';
  readonly sign: string;
  readonly words: string;
  readonly children: ComponentChildren;
}

function Banner({ kind, sign, words, children }: BannerProps): ComponentChild {
  return (
    <section class={`verdict ${kind}`} aria-labelledby="verdict">
      <span class="sign" aria-hidden="true">
        {sign}
      </span>
      <div>
        {/* Screen readers announce only this, because the numbers below change constantly. */}
        <h2 id="verdict" aria-live="polite">
          {words}
        </h2>
        {children}
      </div>
    </section>
  );
}

interface FigureProps {
  readonly title: string;
  readonly value: string;
  /** The note below the value. */
  readonly children: ComponentChildren;
}

function Figure({ title, value, children }: FigureProps): ComponentChild {
  return (
    <div>
      <dt>{title}</dt>
      <dd class="value">{value}</dd>
      <dd class="note">{children}</dd>
    </div>
  );
}

/** Events are counted up to this. */
const countedAtMost = 1_000_000;

function bounded(events: number): string {
  return events < countedAtMost ? count(events) : `${count(events)} or more`;
}

function Figures({ report }: { readonly report: Report }): ComponentChild {
  const { at: now, pending, dead, types, lag, settledPerSecond, lastSettledAt, canary } = report;
  const oldest = types.flatMap(({ oldestPendingAt }) => oldestPendingAt ?? []).sort()[0];
  const since = (words: string, at: string) => (
    <>
      {words} <Time at={at} now={now} />
    </>
  );
  return (
    <dl class="figures">
      <Figure title="Pending" value={bounded(pending)}>
        {oldest === undefined ? 'none' : since('oldest written', oldest)}
      </Figure>
      <Figure title="Dead" value={bounded(dead)}>
        {dead === 0 ? 'none' : <a href={hrefOf({ view: 'dead' })}>see why, and redrive</a>}
      </Figure>
      <Figure title="Lag, p95" value={lag === null ? '–' : duration(lag.p95Millis)}>
        {lag === null
          ? 'none settled in the last minute'
          : `p50 ${duration(lag.p50Millis)}, at most ${duration(lag.maxMillis)}`}
      </Figure>
      <Figure title="Settled a second" value={count(settledPerSecond)}>
        {lastSettledAt === null ? 'none yet' : since('last', lastSettledAt)}
      </Figure>
      <Figure title="Canary" value={canary === null ? '–' : canaryWords(canary)}>
        {canary === null ? 'the sweep has not run' : since('written', canary.writtenAt)}
      </Figure>
    </dl>
  );
}

function canaryWords({ writtenAt, processedAt }: NonNullable<Report['canary']>): string {
  if (processedAt === null) return 'pending';
  return `took ${duration(Math.max(0, Date.parse(processedAt) - Date.parse(writtenAt)))}`;
}
