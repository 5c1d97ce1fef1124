/** The summary of an aggregate, its differences as text, and its events. */
import type { ComponentChild } from 'preact';
import type { EventView } from '../../cli/show/aggregate-view.ts';
import type { AggregateMessage, Sent } from '../messages.ts';
import { count, counted } from './format.ts';
import { differs } from './marks.ts';
import { Table, Time } from './parts.tsx';

type View = Sent<AggregateMessage>;

const shownDifferences = 200;

export function Summary({ view }: { readonly view: View }): ComponentChild {
  const { fault, isInFlight, differences, document, picture } = view;
  const elements = [...picture.nodes, ...picture.relationships];
  const differing = elements.filter(differs).length;
  const soon = isInFlight ? ' One of its events is pending: this may change in a moment.' : '';
  if (fault !== null)
    return (
      <div class="summary differs" role="status">
        <strong>The document cannot be projected: </strong>
        <code>{fault.code}</code> {fault.reason}
        {soon}
        {fault.trace !== undefined && <pre>{fault.trace}</pre>}
      </div>
    );
  if (view.search === 'not-found')
    return (
      <div class="summary differs" role="status">
        <strong>The document was not found</strong>, so it is unknown whether the graph is right.{soon}
      </div>
    );
  if (differing === 0 && differences.length === 0) {
    const words =
      document === null ? 'There is no document, and nothing of it in the graph.' : 'The graph matches the document.';
    return (
      <div class="summary equal" role="status">
        <strong>{words}</strong>
        {soon}
      </div>
    );
  }
  const what =
    differing === 0
      ? counted(differences.length, 'difference')
      : counted(differing, 'element differs', 'elements differ');
  return (
    <div class="summary differs" role="status">
      <strong>The graph does not match the document</strong>: {what}.{soon}
    </div>
  );
}

export function Differences({ view: { differences } }: { readonly view: View }): ComponentChild {
  const total = differences.length;
  if (total === 0) return null;
  return (
    <section>
      <h2>{counted(total, 'difference')}</h2>
      {total > shownDifferences && (
        <p class="note">
          The first {count(shownDifferences)} of {count(total)}; "outgraph show" prints all.
        </p>
      )}
      <Table
        caption={'Differences, as "outgraph verify" reports them'}
        keyOf={({ kind, element, reason }) => `${kind} ${element} ${reason}`}
        rows={differences.slice(0, shownDifferences)}
        columns={[
          { title: 'Kind', cell: ({ kind }) => kind },
          { title: 'Element', cell: ({ element }) => (element === null ? 'the aggregate' : <code>{element}</code>) },
          { title: 'What is wrong', cell: ({ reason }) => reason },
        ]}
      />
    </section>
  );
}

interface EventsProps {
  readonly events: readonly Sent<EventView>[];
  readonly now: string;
}

export function Events({ events, now }: EventsProps): ComponentChild {
  return (
    <section>
      <h2>Its events</h2>
      <Table
        caption="Its events in the outbox, newest first"
        empty="None in the outbox. Processed events are purged after their retention."
        keyOf={({ eventId }) => eventId}
        rows={events}
        columns={[
          { title: 'Event', cell: ({ eventId }) => <code>{eventId}</code> },
          { title: 'Operation', cell: ({ operation }) => operation },
          { title: 'Status', cell: (event) => <Status event={event} now={now} /> },
          { title: 'Written', cell: ({ createdAt: at }) => <Time at={at} now={now} /> },
          { title: 'Republished', isNumber: true, cell: ({ attempts }) => count(attempts) },
          { title: 'Position', cell: ({ position }) => <code>{position}</code> },
        ]}
      />
    </section>
  );
}

function Status({ event, now }: { readonly event: Sent<EventView>; readonly now: string }): ComponentChild {
  const { status, processedAt, deadAt, error } = event;
  const at = processedAt ?? deadAt;
  return (
    <div class={`event-status ${status}`}>
      <span>
        {status}
        {at !== null && (
          <>
            {' '}
            <Time at={at} now={now} />
          </>
        )}
      </span>
      {error !== null && (
        <span class="note">
          <code>{error.code}</code> {error.message}
        </span>
      )}
    </div>
  );
}
