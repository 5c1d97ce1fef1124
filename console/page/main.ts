/** The page's frame: navigation, the state of the connection, and the view of the address. */
import { type ComponentChild, h, render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { AggregatePage } from './aggregate-page.ts';
import { DeadPage } from './dead-page.ts';
import { count, timeOfDay } from './format.ts';
import { type Live, useLive } from './live.ts';
import { Problem } from './parts.ts';
import { hrefOf, type Route, useRoute } from './route.ts';
import { StatusPage, verdictWords } from './status-page.ts';

const titles = { status: 'Status', dead: 'Dead events', aggregate: 'An aggregate' } as const;

function Console(): ComponentChild {
  const live = useLive();
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  const { report } = live.status ?? { report: null };
  useEffect(() => {
    // Keyboard users start at the top of a new view.
    if (!isFirst.current) {
      main.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [route.view]);
  useEffect(() => {
    const isKnown = report !== null && live.status?.failure === null && live.connection === 'live';
    const verdict = isKnown ? verdictWords[report.verdict] : 'Unknown';
    document.title = `${verdict} · ${headingOf(route)} · outgraph console`;
  }, [route, live]);
  return h(
    'div',
    { class: 'frame' },
    h('a', { class: 'skip', href: '#main', onClick: skip(main) }, 'Skip to the content'),
    h(Header, { live, route }),
    h(
      'main',
      { id: 'main', ref: main, tabIndex: -1 },
      h(ConnectionProblem, { live }),
      h('h1', null, headingOf(route)),
      h(View, { live, route }),
    ),
  );
}

function headingOf(route: Route): string {
  return route.view === 'aggregate' && route.id !== '' ? `${route.type}:${route.id}` : titles[route.view];
}

function View({ live, route }: { readonly live: Live; readonly route: Route }): ComponentChild {
  if (route.view === 'dead') return h(DeadPage, { live });
  if (route.view === 'aggregate') return h(AggregatePage, { live, type: route.type, id: route.id });
  return h(StatusPage, { live });
}

/** The part of the address after `#` names the view, so the link must not change it. */
function skip(main: { readonly current: HTMLElement | null }) {
  return (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
}

function Header({ live, route }: { readonly live: Live; readonly route: Route }): ComponentChild {
  const dead = live.status?.report?.dead ?? 0;
  const link = (view: Route['view'], to: Route, badge: number) =>
    h(
      'li',
      { key: view },
      h(
        'a',
        { href: hrefOf(to), 'aria-current': route.view === view ? 'page' : undefined },
        titles[view],
        badge > 0 && h('span', { class: 'badge' }, count(badge)),
      ),
    );
  return h(
    'header',
    { class: 'top' },
    h('div', { class: 'brand' }, h('strong', null, 'outgraph'), h('span', { class: 'stage' }, live.hello?.stage ?? '')),
    h(
      'nav',
      { 'aria-label': 'Views' },
      h('ul', null, [
        link('status', { view: 'status' }, 0),
        link('dead', { view: 'dead' }, dead),
        link('aggregate', { view: 'aggregate', type: '', id: '' }, 0),
      ]),
    ),
    h(ConnectionState, { live }),
  );
}

function ConnectionState({ live }: { readonly live: Live }): ComponentChild {
  const { connection, status } = live;
  const at = status === null ? '' : timeOfDay(status.sample.at);
  const words = { connecting: 'Connecting …', live: `Live · ${at}`, gone: 'Disconnected', refused: 'Disconnected' };
  return h(
    'p',
    { class: `connection ${connection}` },
    h('span', { class: 'dot', 'aria-hidden': 'true' }),
    words[connection],
  );
}

function ConnectionProblem({ live }: { readonly live: Live }): ComponentChild {
  const since = live.status === null ? '' : ` You see the state of ${timeOfDay(live.status.sample.at)}.`;
  if (live.connection === 'gone')
    return h(
      Problem,
      null,
      h('strong', null, 'The console does not answer.'),
      `${since} The page retries every few seconds. If the console was stopped, start "outgraph console" again, ` +
        'and open the address that it prints.',
    );
  if (live.connection === 'refused')
    return h(
      Problem,
      null,
      h('strong', null, 'This address is no longer valid.'),
      `${since} The console was restarted: open the address that it printed.`,
    );
  return null;
}

const place = document.getElementById('console');
if (place !== null) render(h(Console, null), place);
