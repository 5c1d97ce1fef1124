/** One aggregate: its document, the graph, and the differences. */
import type { ComponentChild } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { AggregateMessage, Sent } from '../messages.ts';
import { Differences, Events, Summary } from './aggregate-facts.tsx';
import { getJson } from './ask-server.ts';
import { Elements } from './elements.tsx';
import { count, counted } from './format.ts';
import type { Live } from './live.ts';
import { Pictures } from './pictures.tsx';
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
  return (
    <div class="sections">
      <Choice
        key={`${type}:${id}`}
        types={live.hello?.aggregateTypes ?? []}
        type={type}
        id={id}
        again={() => void read()}
      />
      {problem !== null && (
        <div class="problem" role="alert">
          <strong>The aggregate cannot be shown. </strong>
          {problem}
        </div>
      )}
      {!isNamed && <p class="empty">Choose an aggregate by its type, and its id from aggregateId in the outbox.</p>}
      {isNamed && view === null && problem === null && <p class="empty">Reading the aggregate …</p>}
      {view !== null && <Shown view={view} now={now} />}
    </div>
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
  return (
    <form class="choice" onSubmit={onSubmit}>
      <label for="type">Type</label>
      <select id="type" name="type" defaultValue={type}>
        {known.map((one) => (
          <option key={one} value={one} selected={one === type}>
            {one}
          </option>
        ))}
      </select>
      <label for="id">Id</label>
      <input id="id" name="id" type="text" defaultValue={id} required autocomplete="off" spellcheck={false} />
      <button type="submit" class="primary">
        {type !== '' && id !== '' ? 'Look again' : 'Look'}
      </button>
    </form>
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
  return (
    <div class="sections">
      <Summary view={view} />
      {isEmpty ? (
        <p class="empty">Neither the document nor the graph has any of its elements.</p>
      ) : (
        <>
          <Pictures picture={picture} />
          <Elements picture={picture} />
        </>
      )}
      <Differences view={view} />
      <Events events={events} now={now} />
      <section>
        <h2>Registry</h2>
        {registry === null ? (
          <p class="empty">
            The graph has no entry for this aggregate: no event of it was applied, or it was deleted long ago.
          </p>
        ) : (
          <p>
            {registry.deleted
              ? 'Deleted at position '
              : `It lists ${counted(registry.elements, 'element')} of this aggregate, at position `}
            <code>{registry.position}</code>.
            {ends > 0 && ` This does not include ends of its relationships that belong to others (${count(ends)}).`}
          </p>
        )}
      </section>
      <section>
        <h2>The document</h2>
        {document === null ? (
          <p class="empty">{searchWords[search]}</p>
        ) : (
          <details>
            <summary>Show as JSON</summary>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard */}
            <pre tabIndex={0}>{document}</pre>
          </details>
        )}
      </section>
    </div>
  );
}
