/** The status in tables: events by type, queues, publishers. */
import type { ComponentChild } from 'preact';
import type { StatusReport } from '../../cli/status/status-report.ts';
import type { Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { Table, Time } from './parts.tsx';

type Report = Sent<StatusReport>;

export function Types({ report: { types, isCapped, at: now } }: { readonly report: Report }): ComponentChild {
  return (
    <section>
      <h2>By aggregate type</h2>
      {isCapped && (
        <p class="note">There are too many events: only the oldest are counted, and types may be missing.</p>
      )}
      <Table
        caption="Pending and dead events by aggregate type"
        empty="No type has pending or dead events."
        keyOf={({ aggregateType }) => aggregateType}
        rows={types}
        columns={[
          { title: 'Type', cell: ({ aggregateType }) => <code>{aggregateType}</code> },
          { title: 'Pending', isNumber: true, cell: ({ pending }) => count(pending) },
          {
            title: 'Oldest written',
            cell: ({ oldestPendingAt: at }) => (at === null ? '–' : <Time at={at} now={now} />),
          },
          { title: 'Dead', isNumber: true, cell: ({ dead }) => count(dead) },
        ]}
      />
    </section>
  );
}

export function Queues({ report: { queue, deadLetterQueue } }: { readonly report: Report }): ComponentChild {
  const rows = [
    { name: 'Queue', of: queue },
    { name: 'Dead-letter queue', of: deadLetterQueue },
  ].flatMap(({ name, of }) => (of === null ? [] : [{ name, ...of }]));
  return (
    <section>
      <h2>Queues</h2>
      <Table
        caption="Approximate number of messages in the queues"
        empty="The settings name no queue. A worker needs none; on AWS, set QUEUE_URL and DEAD_LETTER_QUEUE_URL."
        keyOf={({ name }) => name}
        rows={rows}
        columns={[
          { title: 'Approximate messages', cell: ({ name }) => name },
          { title: 'Waiting', isNumber: true, cell: ({ visible }) => count(visible) },
          { title: 'In flight', isNumber: true, cell: ({ inFlight }) => count(inFlight) },
          { title: 'Delayed', isNumber: true, cell: ({ delayed }) => count(delayed) },
        ]}
      />
    </section>
  );
}

export function Publishers({ report: { publishers, at: now } }: { readonly report: Report }): ComponentChild {
  return (
    <section>
      <h2>Publishers</h2>
      <Table
        caption={`${counted(publishers.length, 'publisher')}, with lease and progress`}
        empty="No publisher has run yet. With an Atlas Trigger, there is none."
        keyOf={({ id }) => id}
        rows={publishers}
        columns={[
          { title: 'Publisher', cell: ({ id }) => <code>{id}</code> },
          {
            title: 'Held by',
            cell: ({ owner, workers }) =>
              owner === null ? '–' : workers === null ? <code>{owner}</code> : counted(workers, 'worker'),
          },
          { title: 'Lease ends', cell: ({ leaseExpiresAt: at }) => <Time at={at} now={now} /> },
          {
            title: 'Progress saved',
            cell: ({ updatedAt: at }) => (at === null ? 'never' : <Time at={at} now={now} />),
          },
          { title: 'Backlog', cell: ({ hasBacklog }) => (hasBacklog ? 'being published' : 'none') },
        ]}
      />
    </section>
  );
}
