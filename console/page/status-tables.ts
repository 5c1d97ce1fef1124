/** The status in tables: events by type, queues, publishers. */
import { type ComponentChild, h } from 'preact';
import type { StatusReport } from '../../cli/status/status-report.ts';
import type { Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { Empty, Table, Time } from './parts.ts';

type Report = Sent<StatusReport>;

export function Types({ report: { types, isCapped, at: now } }: { readonly report: Report }): ComponentChild {
  return h(
    'section',
    null,
    h('h2', null, 'By aggregate type'),
    isCapped &&
      h('p', { class: 'note' }, 'There are too many events: only the oldest are counted, and types may be missing.'),
    types.length === 0
      ? h(Empty, null, 'No type has pending or dead events.')
      : h(Table<Report['types'][number]>, {
          caption: 'Pending and dead events by aggregate type',
          keyOf: ({ aggregateType }) => aggregateType,
          rows: types,
          columns: [
            { title: 'Type', cell: ({ aggregateType }) => h('code', null, aggregateType) },
            { title: 'Pending', isNumber: true, cell: ({ pending }) => count(pending) },
            {
              title: 'Oldest written',
              cell: ({ oldestPendingAt: at }) => (at === null ? '–' : h(Time, { at, now })),
            },
            { title: 'Dead', isNumber: true, cell: ({ dead }) => count(dead) },
          ],
        }),
  );
}

export function Queues({ report: { queue, deadLetterQueue } }: { readonly report: Report }): ComponentChild {
  const rows = [
    { name: 'Queue', of: queue },
    { name: 'Dead-letter queue', of: deadLetterQueue },
  ].flatMap(({ name, of }) => (of === null ? [] : [{ name, ...of }]));
  return h(
    'section',
    null,
    h('h2', null, 'Queues'),
    rows.length === 0
      ? h(
          Empty,
          null,
          'The settings name no queue. A worker needs none; on AWS, set QUEUE_URL and DEAD_LETTER_QUEUE_URL.',
        )
      : h(Table<(typeof rows)[number]>, {
          caption: 'Approximate number of messages in the queues',
          keyOf: ({ name }) => name,
          rows,
          columns: [
            { title: 'Approximate messages', cell: ({ name }) => name },
            { title: 'Waiting', isNumber: true, cell: ({ visible }) => count(visible) },
            { title: 'In flight', isNumber: true, cell: ({ inFlight }) => count(inFlight) },
            { title: 'Delayed', isNumber: true, cell: ({ delayed }) => count(delayed) },
          ],
        }),
  );
}

export function Publishers({ report: { publishers, at: now } }: { readonly report: Report }): ComponentChild {
  return h(
    'section',
    null,
    h('h2', null, 'Publishers'),
    publishers.length === 0
      ? h(Empty, null, 'No publisher has run yet. With an Atlas Trigger, there is none.')
      : h(Table<Report['publishers'][number]>, {
          caption: `${counted(publishers.length, 'publisher')}, with lease and progress`,
          keyOf: ({ id }) => id,
          rows: publishers,
          columns: [
            { title: 'Publisher', cell: ({ id }) => h('code', null, id) },
            { title: 'Held by', cell: ({ owner }) => (owner === null ? '–' : h('code', null, owner)) },
            { title: 'Lease ends', cell: ({ leaseExpiresAt: at }) => h(Time, { at, now }) },
            { title: 'Progress saved', cell: ({ updatedAt: at }) => (at === null ? 'never' : h(Time, { at, now })) },
            { title: 'Backlog', cell: ({ hasBacklog }) => (hasBacklog ? 'being published' : 'none') },
          ],
        }),
  );
}
