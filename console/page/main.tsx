/**
 * The page's frame: navigation, the state of the connection, and the view that the address names.
 */
import { type ComponentChild, render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { AggregatePage } from './aggregate-page.tsx';
import { DeadPage } from './dead-page.tsx';
import { count, timeOfDay } from './format.ts';
import { type Live, useLive } from './live.ts';
import { hrefOf, type Route, useRoute } from './route.ts';
import { StatusPage, verdictWords } from './status-page.tsx';

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
  // The part of the address after `#` names the view, so the link must not change it.
  const skip = (event: Event) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <div class="frame">
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on the page */}
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header live={live} route={route} />
      <main id="main" ref={main} tabIndex={-1}>
        <ConnectionProblem live={live} />
        <h1>{headingOf(route)}</h1>
        <View live={live} route={route} />
      </main>
    </div>
  );
}

function headingOf(route: Route): string {
  return route.view === 'aggregate' && route.id !== '' ? `${route.type}:${route.id}` : titles[route.view];
}

function View({ live, route }: { readonly live: Live; readonly route: Route }): ComponentChild {
  if (route.view === 'dead') return <DeadPage live={live} />;
  if (route.view === 'aggregate') return <AggregatePage live={live} type={route.type} id={route.id} />;
  return <StatusPage live={live} />;
}

function Header({ live, route }: { readonly live: Live; readonly route: Route }): ComponentChild {
  const dead = live.status?.report?.dead ?? 0;
  const link = (to: Route, badge = 0) => (
    <li>
      <a href={hrefOf(to)} aria-current={route.view === to.view ? 'page' : undefined}>
        {titles[to.view]}
        {badge > 0 && <span class="badge">{count(badge)}</span>}
      </a>
    </li>
  );
  return (
    <header class="top">
      <div class="brand">
        <strong>outgraph</strong>
        <span class="stage">{live.hello?.stage ?? ''}</span>
      </div>
      <nav aria-label="Views">
        <ul>
          {link({ view: 'status' })}
          {link({ view: 'dead' }, dead)}
          {link({ view: 'aggregate', type: '', id: '' })}
        </ul>
      </nav>
      <ConnectionState live={live} />
    </header>
  );
}

function ConnectionState({ live }: { readonly live: Live }): ComponentChild {
  const { connection, status } = live;
  const at = status === null ? '' : timeOfDay(status.sample.at);
  const words = { connecting: 'Connecting …', live: `Live · ${at}`, gone: 'Disconnected', refused: 'Disconnected' };
  return (
    <p class={`connection ${connection}`}>
      <span class="dot" aria-hidden="true" />
      {words[connection]}
    </p>
  );
}

function ConnectionProblem({ live }: { readonly live: Live }): ComponentChild {
  const since = live.status === null ? '' : ` The page shows the state of ${timeOfDay(live.status.sample.at)}.`;
  if (live.connection === 'gone')
    return (
      <div class="problem" role="alert">
        <strong>The console does not answer.</strong>
        {since} The page retries every few seconds. If the console was stopped, start "outgraph console" again, and open
        the address that it prints.
      </div>
    );
  if (live.connection === 'refused')
    return (
      <div class="problem" role="alert">
        <strong>This address is no longer valid.</strong>
        {since} The console was restarted: open the address that it printed.
      </div>
    );
  return null;
}

const place = document.getElementById('console');
if (place !== null) render(<Console />, place);
