/** Confirms a redrive: shows how many events it changes and its effect, then its progress. */
import type { ComponentChild } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RedriveMessage, RedrivePlan, Sent } from '../messages.ts';
import { explain, postJson } from './ask-server.ts';
import type { Asked } from './dead-page.tsx';
import { count, counted } from './format.ts';
import type { Live } from './live.ts';

type Step =
  | { readonly name: 'planning' }
  | { readonly name: 'asking'; readonly plan: Sent<RedrivePlan> }
  | { readonly name: 'starting' }
  | { readonly name: 'started'; readonly started: RedriveMessage }
  | { readonly name: 'refused'; readonly reason: string };

interface DialogProps {
  readonly asked: Asked;
  readonly live: Live;
  readonly close: () => void;
}

export function RedriveDialog({ asked, live, close }: DialogProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  const [step, setStep] = useState<Step>({ name: 'planning' });
  const refused = (error: Error) => setStep({ name: 'refused', reason: error.message });

  useEffect(() => {
    dialog.current?.showModal();
    postJson<Sent<RedrivePlan>>('redrive/plan', asked.selection).then(
      (plan) => setStep({ name: 'asking', plan }),
      refused,
    );
  }, []);

  const goAhead = (plan: Sent<RedrivePlan>) => () => {
    setStep({ name: 'starting' });
    postJson<RedriveMessage>('redrive', { selection: asked.selection, plan }).then(
      (started) => setStep({ name: 'started', started }),
      refused,
    );
  };
  const onClose = () => {
    close();
    // If the button that opened the dialog was removed with its row, the browser cannot restore the
    // focus.
    if (document.activeElement === document.body) document.getElementById('main')?.focus();
  };
  const events = step.name === 'asking' ? step.plan.events : 0;
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="ask-title" onClose={onClose}>
      <h2 id="ask-title">Redrive dead events</h2>
      <div aria-live="polite">
        <Words step={step} asked={asked} live={live} />
      </div>
      <div class="buttons">
        <button type="button" onClick={() => dialog.current?.close()}>
          {step.name === 'asking' || step.name === 'planning' ? 'Cancel' : 'Close'}
        </button>
        {step.name === 'asking' && events > 0 && (
          <button type="button" class="primary" onClick={goAhead(step.plan)}>
            Redrive {counted(events, 'event')}
          </button>
        )}
      </div>
    </dialog>
  );
}

function Words({ step, asked, live }: Omit<DialogProps, 'close'> & { readonly step: Step }): ComponentChild {
  switch (step.name) {
    case 'planning':
      return <p>Counting …</p>;
    case 'asking':
      return <Question asked={asked} events={step.plan.events} />;
    case 'starting':
      return <p>Starting …</p>;
    case 'started':
      return <Started started={step.started} live={live} />;
    case 'refused':
      return (
        <p class="problem">
          <strong>The redrive was not started. </strong>
          {step.reason}
        </p>
      );
  }
}

function Question({ asked, events }: { readonly asked: Asked; readonly events: number }): ComponentChild {
  if (events === 0) return <p>There is no dead event {asked.words} any more.</p>;
  return (
    <div>
      <p>
        <strong>
          This makes {counted(events, 'event')} {asked.words} pending again.
        </strong>
      </p>
      <ul>
        <li>The sweep, or a worker, publishes them within a minute or two.</li>
        <li>It fixes nothing: if the cause still exists, the event dies again.</li>
        <li>It is safe for the graph: an event older than the graph's state has no effect.</li>
      </ul>
    </div>
  );
}

/** The progress may arrive before or after the response to the start. */
function Started({ started, live }: { readonly started: RedriveMessage; readonly live: Live }): ComponentChild {
  const redrive = live.redrive?.id === started.id ? live.redrive : started;
  if (redrive.state === 'running' && live.connection !== 'live')
    return <p class="problem">The console does not answer. Events that it did not reach are still dead.</p>;
  return <Course redrive={redrive} />;
}

/** The progress of a redrive, then its result. */
export function Course({ redrive }: { readonly redrive: RedriveMessage }): ComponentChild {
  const { state, changed, events, failure } = redrive;
  const are = `${counted(changed, 'event')} ${changed === 1 ? 'is' : 'are'} pending again`;
  switch (state) {
    case 'running':
      return (
        <p>{changed === 0 ? 'Running …' : `${count(changed)} of ${counted(events, 'event')} are pending again …`}</p>
      );
    case 'done':
      return (
        <p>
          <strong>{are}.</strong>
        </p>
      );
    case 'interrupted':
      return (
        <p>
          <strong>{are}.</strong> It was interrupted: the others are still dead. Redrive them again.
        </p>
      );
    case 'failed':
      return (
        <p class="problem">
          <strong>It failed; {are}. </strong>
          {failure === null ? '' : explain(failure)}
        </p>
      );
  }
}
