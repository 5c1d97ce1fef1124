/**
 * Receives the server's events: the history once, then a status every few seconds. Reconnects, and
 * reports the connection.
 */
import { useEffect, useState } from 'preact/hooks';
import type { HelloMessage, RedriveMessage, Sample, StatusMessage } from '../messages.ts';

/** `refused`: a server answers, but this address is no longer valid. */
export type Connection = 'connecting' | 'live' | 'gone' | 'refused';

export interface Live {
  readonly connection: Connection;
  readonly hello: HelloMessage | null;
  readonly history: readonly Sample[];
  readonly status: StatusMessage | null;
  readonly redrive: RedriveMessage | null;
}

const keptMillis = 15 * 60 * 1_000;
const retryMillis = 2_000;

const nothing: Live = { connection: 'connecting', hello: null, history: [], status: null, redrive: null };

/** Listens while the page is open. */
export function useLive(): Live {
  const [live, setLive] = useState(nothing);
  useEffect(() => listen((change) => setLive((before) => ({ ...before, ...change(before) }))), []);
  return live;
}

type Change = (before: Live) => Partial<Live>;

function listen(update: (change: Change) => void): () => void {
  let source = open();
  let retry: ReturnType<typeof setTimeout> | undefined;

  function open(): EventSource {
    const opened = new EventSource('events');
    const on = <Message>(name: string, change: (message: Message, before: Live) => Partial<Live>) =>
      opened.addEventListener(name, ({ data }: MessageEvent<string>) =>
        update((before) => change(JSON.parse(data) as Message, before)),
      );
    on<HelloMessage>('hello', (hello) => {
      const { history, redrive } = hello;
      return { connection: 'live', hello, history, redrive };
    });
    on<StatusMessage>('status', (status, { history }) => ({ status, history: withSample(history, status.sample) }));
    on<RedriveMessage>('redrive', (redrive) => ({ redrive }));
    opened.onerror = () => {
      update(() => ({ connection: 'gone' }));
      // The browser does not reconnect if the response was not a stream. Find out why.
      if (opened.readyState === EventSource.CLOSED) retry = setTimeout(tryAgain, retryMillis);
    };
    return opened;
  }

  async function tryAgain(): Promise<void> {
    const answer = await fetch(location.pathname, { cache: 'no-store' }).catch(() => null);
    if (answer?.status === 403) update(() => ({ connection: 'refused' }));
    else source = open();
  }

  return () => {
    clearTimeout(retry);
    source.close();
  };
}

function withSample(history: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = history.at(-1);
  // The server sends the last sample of the history again, with its report.
  if (last !== undefined && last.at >= sample.at) return history;
  return [...history.filter(({ at }) => at > sample.at - keptMillis), sample];
}
