/** The part of the address after `#` names the view, so that the back button and bookmarks work. */
import { useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly view: 'status' }
  | { readonly view: 'dead' }
  | { readonly view: 'aggregate'; readonly type: string; readonly id: string };

/** The address of a view, for links. */
export function hrefOf(route: Route): string {
  if (route.view !== 'aggregate') return `#/${route.view}`;
  const { type, id } = route;
  return `#/aggregate?${new URLSearchParams({ type, id })}`;
}

/** Reads `location.hash`. Anything unknown is the status view. */
export function readRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\//, '').split('?', 2);
  const query = new URLSearchParams(search);
  if (path === 'aggregate') return { view: path, type: query.get('type') ?? '', id: query.get('id') ?? '' };
  return { view: path === 'dead' ? 'dead' : 'status' };
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(readRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}
