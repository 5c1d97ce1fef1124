/** The summary of an aggregate, its differences as text, and its events. */
import { type ComponentChild, h } from 'preact';
import type { EventView } from '../../cli/show/aggregate-view.ts';
import type { AggregateMessage, Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { differs } from './marks.ts';
import { Empty, Table, Time } from './parts.ts';

type View = Sent<AggregateMessage>;

const shownDifferences = 200;

export function Summary({ view }: { readonly view: View }): ComponentChild {
  const { fault, isInFlight, differences, document, picture } = view;
  const elements = [...picture.nodes, ...picture.relationships];
  const differing = elements.filter(differs).length;
  const soon = isInFlight ? ' One of its events is pending: this may change in a moment.' : '';
  if (fault !== null)
    return h(
      'div',
      { class: 'summary differs', role: 'status' },
      h('strong', null, 'The document cannot be projected: '),
      h('code', null, fault.code),
      ` ${fault.reason}${soon}`,
      fault.trace !== undefined && h('pre', null, fault.trace),
    );
  if (view.search === 'not-found')
    return h(
      'div',
      { class: 'summary differs', role: 'status' },
      h('strong', null, 'The document was not found'),
      `, so it is unknown whether the graph is right.${soon}`,
    );
  if (differing === 0 && differences.length === 0) {
    const words =
      document === null ? 'There is no document, and nothing of it in the graph.' : 'The graph matches the document.';
    return h('div', { class: 'summary equal', role: 'status' }, h('strong', null, words), soon);
  }
  const what =
    differing === 0
      ? counted(differences.length, 'difference')
      : counted(differing, 'element differs', 'elements differ');
  return h(
    'div',
    { class: 'summary differs', role: 'status' },
    h('strong', null, 'The graph does not match the document'),
    `: ${what}.${soon}`,
  );
}

export function Differences({ view: { differences } }: { readonly view: View }): ComponentChild {
  if (differences.length === 0) return null;
  return h(
    'section',
    null,
    h('h2', null, counted(differences.length, 'difference')),
    differences.length > shownDifferences &&
      h(
        'p',
        { class: 'note' },
        `The first ${count(shownDifferences)} of ${count(differences.length)}; "outgraph show" prints all.`,
      ),
    h(Table<View['differences'][number]>, {
      caption: 'Differences, as "outgraph verify" reports them',
      keyOf: ({ kind, element, reason }) => `${kind} ${element} ${reason}`,
      rows: differences.slice(0, shownDifferences),
      columns: [
        { title: 'Kind', cell: ({ kind }) => kind },
        { title: 'Element', cell: ({ element }) => (element === null ? 'the aggregate' : h('code', null, element)) },
        { title: 'What is wrong', cell: ({ reason }) => reason },
      ],
    }),
  );
}

export function Events({
  events,
  now,
}: {
  readonly events: readonly Sent<EventView>[];
  readonly now: string;
}): ComponentChild {
  return h(
    'section',
    null,
    h('h2', null, 'Its events'),
    events.length === 0
      ? h(Empty, null, 'None in the outbox. Processed events are purged after their retention.')
      : h(Table<Sent<EventView>>, {
          caption: 'Its events in the outbox, newest first',
          keyOf: ({ eventId }) => eventId,
          rows: events,
          columns: [
            { title: 'Event', cell: ({ eventId }) => h('code', null, eventId) },
            { title: 'Operation', cell: ({ operation }) => operation },
            { title: 'Status', cell: (event) => h(Status, { event, now }) },
            { title: 'Written', cell: ({ createdAt: at }) => h(Time, { at, now }) },
            { title: 'Republished', isNumber: true, cell: ({ attempts }) => count(attempts) },
            { title: 'Position', cell: ({ position }) => h('code', null, position) },
          ],
        }),
  );
}

function Status({ event, now }: { readonly event: Sent<EventView>; readonly now: string }): ComponentChild {
  const { status, processedAt, deadAt, error } = event;
  const at = processedAt ?? deadAt;
  return h(
    'div',
    { class: `event-status ${status}` },
    h('span', null, status, at !== null && [' ', h(Time, { at, now })]),
    error !== null && h('span', { class: 'note' }, h('code', null, error.code), ` ${error.message}`),
  );
}
