/** Dead events: why they are dead, what to do, and a redrive. */
import { type ComponentChild, h } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { DeadSelection } from '../../cli/dead/dead-event.ts';
import type { DeadEntry, DeadMessage, Sent } from '../messages.ts';
import { getJson } from './ask-server.ts';
import { count, counted } from './format.ts';
import type { Live } from './live.ts';
import { Empty, Problem, Table, Time } from './parts.ts';
import { Course, RedriveDialog } from './redrive-dialog.ts';
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
  // When their number changes, and regularly, because equal numbers may be different events.
  useEffect(() => void read(), [dead, age]);
  const ask = (about: Omit<Asked, 'id'>) => setAsked({ id: crypto.randomUUID(), ...about });
  // The browser reports the end of a dialog late: the next one may already be open.
  const close = (closed: Asked) => {
    setAsked((current) => (current === closed ? null : current));
    void read();
  };
  return h(
    'div',
    { class: 'sections' },
    h('p', { class: 'lead' }, 'A dead event can never be applied as it is. Fix the cause, then make it pending again.'),
    // Started before a reload, or its dialog was closed.
    asked === null &&
      live.connection === 'live' &&
      live.redrive?.state === 'running' &&
      h('div', { role: 'status' }, h(Course, { redrive: live.redrive })),
    problem !== null && h(Problem, null, h('strong', null, 'The dead events cannot be read. '), problem),
    list === null && problem === null && h(Empty, null, 'Reading the dead events …'),
    list !== null && list.events.length === 0 && h(Empty, null, 'No event is dead.'),
    list !== null &&
      list.events.length > 0 && [
        h(Groups, { key: 'groups', list, ask }),
        h(Events, { key: 'events', list, code, setCode, ask }),
      ],
    asked !== null && h(RedriveDialog, { key: asked.id, asked, live, close: () => close(asked) }),
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
  return h(
    'section',
    null,
    h('h2', null, 'By code and type'),
    h(Table<Group>, {
      caption: 'Dead events by code and type',
      keyOf: ({ code, aggregateType }) => `${code} ${aggregateType}`,
      rows: list.groups,
      columns: [
        { title: 'Code', cell: ({ code }) => h('code', null, code) },
        { title: 'Type', cell: ({ aggregateType }) => h('code', null, aggregateType) },
        { title: 'Events', isNumber: true, cell: ({ events }) => `${count(events)}${list.isCapped ? ' or more' : ''}` },
        { title: 'Newest died', cell: ({ newest }) => h(Time, { at: newest, now: list.at }) },
        {
          title: 'Action',
          cell: (group) =>
            h(
              'button',
              {
                type: 'button',
                onClick: redriveAll(group),
                'aria-label': `Redrive all of type ${group.aggregateType} with ${group.code} …`,
              },
              'Redrive all …',
            ),
        },
      ],
    }),
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
  const options = codes.map((one) => h('option', { key: one, value: one }, one));
  return h(
    'section',
    null,
    h('h2', null, 'One by one'),
    h(
      'p',
      { class: 'filter' },
      h('label', { for: 'code' }, 'Code'),
      h(
        'select',
        { id: 'code', value: code, onChange: (event: Event) => setCode((event.target as HTMLSelectElement).value) },
        h('option', { value: '' }, 'all'),
        options,
      ),
      total > list.events.length &&
        h('span', { class: 'note' }, `The newest ${count(list.events.length)} of ${counted(total, 'event')}.`),
    ),
    rows.length === 0
      ? h(Empty, null, `None of the shown events died with ${code}.`)
      : h(Table<Entry>, {
          caption: 'Dead events, newest death first',
          keyOf: ({ eventId }) => eventId,
          rows,
          columns: [
            { title: 'Aggregate', cell: Which },
            { title: 'Died', cell: ({ deadAt }) => h(Time, { at: deadAt, now: list.at }) },
            { title: 'Why, and what to do', cell: Why },
            { title: 'Action', cell: (entry) => h(RedriveOne, { entry, ask }) },
          ],
        }),
  );
}

function Which({ aggregateType: type, aggregateId: id, eventId, operation }: Entry): ComponentChild {
  const href = hrefOf({ view: 'aggregate', type, id });
  return h(
    'div',
    { class: 'which' },
    h('a', { href }, h('code', null, `${type}:${id}`)),
    h('span', { class: 'note' }, operation, ' ', h('code', null, eventId)),
  );
}

function Why({ code, message, advice }: Entry): ComponentChild {
  return h(
    'div',
    { class: 'why' },
    h('code', { class: 'code' }, code),
    h('p', null, message),
    advice !== null && h('p', { class: 'note' }, advice),
  );
}

function RedriveOne({ entry, ask }: Pick<ListProps, 'ask'> & { readonly entry: Entry }): ComponentChild {
  const { eventId, aggregateType, aggregateId } = entry;
  const name = `${aggregateType}:${aggregateId}`;
  const onClick = () => ask({ selection: { codes: [], aggregateTypes: [], eventIds: [eventId] }, words: `of ${name}` });
  return h('button', { type: 'button', onClick, 'aria-label': `Redrive the event of ${name} …` }, 'Redrive …');
}
