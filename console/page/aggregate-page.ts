/** One aggregate: its document, the graph, and the differences. */
import { type ComponentChild, h } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AggregateMessage, Sent } from '../messages.ts';
import { Differences, Events, Summary } from './aggregate-facts.ts';
import { getJson } from './ask-server.ts';
import { Elements } from './elements.ts';
import { count, counted } from './format.ts';
import type { Live } from './live.ts';
import { Empty, Problem } from './parts.ts';
import { Pictures } from './pictures.ts';
import { hrefOf } from './route.ts';

type View = Sent<AggregateMessage>;

interface PageProps {
  readonly live: Live;
  readonly type: string;
  readonly id: string;
}

const againMillis = 3_000;

export function AggregatePage({ live, type, id }: PageProps): ComponentChild {
  const [view, setView] = useState<View | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const isNamed = type !== '' && id !== '';
  const read = useCallback(async () => {
    if (!isNamed) return;
    try {
      setView(await getJson<View>('aggregate', { type, id }));
      setProblem(null);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }, [type, id]);
  useEffect(() => {
    setView(null);
    setProblem(null);
    void read();
  }, [read]);
  useEffect(() => {
    if (view?.isInFlight !== true) return undefined;
    const again = setTimeout(() => void read(), againMillis);
    return () => clearTimeout(again);
  }, [view]);
  const now = live.status?.report?.at ?? new Date().toISOString();
  return h(
    'div',
    { class: 'sections' },
    h(Choice, { key: `${type}:${id}`, types: live.hello?.aggregateTypes ?? [], type, id, again: () => void read() }),
    problem !== null && h(Problem, null, h('strong', null, 'It cannot be shown. '), problem),
    !isNamed && h(Empty, null, 'Choose an aggregate by its type, and its id from aggregateId in the outbox.'),
    isNamed && view === null && problem === null && h(Empty, null, 'Reading the aggregate …'),
    view !== null && h(Shown, { view, now }),
  );
}

interface ChoiceProps {
  readonly types: readonly string[];
  readonly type: string;
  readonly id: string;
  readonly again: () => void;
}

function Choice({ types, type, id, again }: ChoiceProps): ComponentChild {
  const known = type === '' || types.includes(type) ? types : [type, ...types];
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const chosen = { type: String(form.get('type') ?? ''), id: String(form.get('id') ?? '').trim() };
    if (chosen.type === type && chosen.id === id) again();
    else location.hash = hrefOf({ view: 'aggregate', ...chosen });
  };
  return h(
    'form',
    { class: 'choice', onSubmit },
    h('label', { for: 'type' }, 'Type'),
    h(
      'select',
      { id: 'type', name: 'type', defaultValue: type },
      known.map((one) => h('option', { key: one, value: one, selected: one === type }, one)),
    ),
    h('label', { for: 'id' }, 'Id'),
    h('input', {
      id: 'id',
      name: 'id',
      type: 'text',
      defaultValue: id,
      required: true,
      autocomplete: 'off',
      spellcheck: false,
    }),
    h('button', { type: 'submit', class: 'primary' }, type !== '' && id !== '' ? 'Look again' : 'Look'),
  );
}

const searchWords = {
  found: 'It was deleted.',
  absent: 'There is no such document.',
  'not-found': 'No likely document was found. "outgraph show" can search the whole collection.',
} as const;

function Shown({ view, now }: { readonly view: View; readonly now: string }): ComponentChild {
  const { document, search, events, registry, picture } = view;
  const isEmpty = picture.nodes.length === 0;
  const ends = picture.nodes.filter(({ hold }) => hold === 'end').length;
  return h(
    'div',
    { class: 'sections' },
    h(Summary, { view }),
    isEmpty
      ? h(Empty, null, 'Neither the document nor the graph has any of its elements.')
      : [h(Pictures, { key: 'pictures', picture }), h(Elements, { key: 'elements', picture })],
    h(Differences, { view }),
    h(Events, { events, now }),
    h(
      'section',
      null,
      h('h2', null, 'Registry'),
      registry === null
        ? h(
            Empty,
            null,
            'The graph does not know this aggregate: no event of it was applied, or it was deleted long ago.',
          )
        : h(
            'p',
            null,
            registry.deleted
              ? 'Deleted at position '
              : `It lists ${counted(registry.elements, 'element')} of this aggregate, at position `,
            h('code', null, registry.position),
            '.',
            ends > 0 && ` This does not include ends of its relationships that belong to others (${count(ends)}).`,
          ),
    ),
    h(
      'section',
      null,
      h('h2', null, 'The document'),
      document === null
        ? h(Empty, null, searchWords[search])
        : h('details', null, h('summary', null, 'Show as JSON'), h('pre', { tabIndex: 0 }, document)),
    ),
  );
}
