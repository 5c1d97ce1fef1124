/** Dead events: why they are dead, what to do, and a redrive. */
import type { ComponentChild } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { DeadSelection } from '../../cli/dead/dead-event.ts';
import type { DeadEntry, DeadMessage, Sent } from '../messages.ts';
import { getJson } from './ask-server.ts';
import { count, counted } from './format.ts';
import type { Live } from './live.ts';
import { Table, Time } from './parts.tsx';
import { Course, RedriveDialog } from './redrive-dialog.tsx';
import { hrefOf } from './route.ts';

type List = Sent<DeadMessage>;
type Entry = Sent<DeadEntry>;
type Group = List['groups'][number];

const againMillis = 10_000;

/** A requested redrive. */
export interface Asked {
  /** Unique per request. */
  readonly id: string;
  readonly selection: DeadSelection;
  /** The selection as text: "with code payload-invalid". */
  readonly words: string;
}

export function DeadPage({ live }: { readonly live: Live }): ComponentChild {
  const [list, setList] = useState<List | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const [code, setCode] = useState('');
  const read = useCallback(async () => {
    try {
      setList(await getJson<List>('dead'));
      setProblem(null);
    } catch (error) {
      setProblem(String((error as Error).message));
    }
  }, []);
  const dead = live.status?.report?.dead;
  const age = Math.floor((live.status?.sample.at ?? 0) / againMillis);
  // Read when the number changes, and regularly, because different events can have the same number.
  useEffect(() => void read(), [dead, age]);
  const ask = (about: Omit<Asked, 'id'>) => setAsked({ id: crypto.randomUUID(), ...about });
  // The browser reports the end of a dialog late. The next dialog may already be open.
  const close = (closed: Asked) => {
    setAsked((current) => (current === closed ? null : current));
    void read();
  };
  return (
    <div class="sections">
      <p class="lead">A dead event can never be applied as it is. Fix the cause, then make it pending again.</p>
      {/* It was started before a reload, or its dialog was closed. */}
      {asked === null && live.connection === 'live' && live.redrive?.state === 'running' && (
        <div role="status">
          <Course redrive={live.redrive} />
        </div>
      )}
      {problem !== null && (
        <div class="problem" role="alert">
          <strong>The dead events cannot be read. </strong>
          {problem}
        </div>
      )}
      {list === null && problem === null && <p class="empty">Reading the dead events …</p>}
      {list !== null && list.events.length === 0 && <p class="empty">No event is dead.</p>}
      {list !== null && list.events.length > 0 && (
        <>
          <Groups list={list} ask={ask} />
          <Events list={list} code={code} setCode={setCode} ask={ask} />
        </>
      )}
      {asked !== null && <RedriveDialog key={asked.id} asked={asked} live={live} close={() => close(asked)} />}
    </div>
  );
}

interface ListProps {
  readonly list: List;
  readonly ask: (about: Omit<Asked, 'id'>) => void;
}

function Groups({ list, ask }: ListProps): ComponentChild {
  const redriveAll =
    ({ code, aggregateType }: Group) =>
    () =>
      ask({
        selection: { codes: [code], aggregateTypes: [aggregateType], eventIds: [] },
        words: `of type ${aggregateType} that died with ${code}`,
      });
  return (
    <section>
      <h2>By code and type</h2>
      <Table
        caption="Dead events by code and type"
        keyOf={({ code, aggregateType }) => `${code} ${aggregateType}`}
        rows={list.groups}
        columns={[
          { title: 'Code', cell: ({ code }) => <code>{code}</code> },
          { title: 'Type', cell: ({ aggregateType }) => <code>{aggregateType}</code> },
          {
            title: 'Events',
            isNumber: true,
            cell: ({ events }) => `${count(events)}${list.isCapped ? ' or more' : ''}`,
          },
          { title: 'Newest died', cell: ({ newest }) => <Time at={newest} now={list.at} /> },
          {
            title: 'Action',
            cell: (group) => (
              <button
                type="button"
                onClick={redriveAll(group)}
                aria-label={`Redrive all of type ${group.aggregateType} with ${group.code} …`}
              >
                Redrive all …
              </button>
            ),
          },
        ]}
      />
    </section>
  );
}

interface EventsProps extends ListProps {
  readonly code: string;
  readonly setCode: (code: string) => void;
}

function Events({ list, code, setCode, ask }: EventsProps): ComponentChild {
  const total = list.groups.reduce((sum, { events }) => sum + events, 0);
  const rows = list.events.filter((event) => code === '' || event.code === code);
  const codes = [...new Set(list.groups.map((group) => group.code))];
  return (
    <section>
      <h2>One by one</h2>
      <p class="filter">
        <label for="code">Code</label>
        <select id="code" value={code} onChange={({ currentTarget }) => setCode(currentTarget.value)}>
          <option value="">all</option>
          {codes.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        {total > list.events.length && (
          <span class="note">
            The newest {count(list.events.length)} of {counted(total, 'event')}.
          </span>
        )}
      </p>
      <Table
        caption="Dead events, newest death first"
        empty={`None of the shown events died with ${code}.`}
        keyOf={({ eventId }) => eventId}
        rows={rows}
        columns={[
          { title: 'Aggregate', cell: Which },
          { title: 'Died', cell: ({ deadAt }) => <Time at={deadAt} now={list.at} /> },
          { title: 'Why, and what to do', cell: Why },
          { title: 'Action', cell: (entry) => <RedriveOne entry={entry} ask={ask} /> },
        ]}
      />
    </section>
  );
}

function Which({ aggregateType: type, aggregateId: id, eventId, operation }: Entry): ComponentChild {
  return (
    <div class="which">
      <a href={hrefOf({ view: 'aggregate', type, id })}>
        <code>
          {type}:{id}
        </code>
      </a>
      <span class="note">
        {operation} <code>{eventId}</code>
      </span>
    </div>
  );
}

function Why({ code, message, advice }: Entry): ComponentChild {
  return (
    <div class="why">
      <code class="code">{code}</code>
      <p>{message}</p>
      {advice !== null && <p class="note">{advice}</p>}
    </div>
  );
}

function RedriveOne({ entry, ask }: Pick<ListProps, 'ask'> & { readonly entry: Entry }): ComponentChild {
  const { eventId, aggregateType, aggregateId } = entry;
  const name = `${aggregateType}:${aggregateId}`;
  const onClick = () => ask({ selection: { codes: [], aggregateTypes: [], eventIds: [eventId] }, words: `of ${name}` });
  return (
    <button type="button" onClick={onClick} aria-label={`Redrive the event of ${name} …`}>
      Redrive …
    </button>
  );
}
