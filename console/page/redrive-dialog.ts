/** Confirms a redrive: shows how many events it changes and what that does, then its progress. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RedriveMessage, RedrivePlan, Sent } from '../messages.ts';
import { explain, postJson } from './ask-server.ts';
import type { Asked } from './dead-page.ts';
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
    // If the button that opened the dialog was removed with its row, the browser cannot restore the focus.
    if (document.activeElement === document.body) document.getElementById('main')?.focus();
  };
  const events = step.name === 'asking' ? step.plan.events : 0;
  return h(
    'dialog',
    { ref: dialog, class: 'ask', 'aria-labelledby': 'ask-title', onClose },
    h('h2', { id: 'ask-title' }, 'Redrive dead events'),
    h('div', { 'aria-live': 'polite' }, h(Words, { step, asked, live })),
    h(
      'div',
      { class: 'buttons' },
      h(
        'button',
        { type: 'button', onClick: () => dialog.current?.close() },
        step.name === 'asking' || step.name === 'planning' ? 'Cancel' : 'Close',
      ),
      step.name === 'asking' &&
        events > 0 &&
        h(
          'button',
          { type: 'button', class: 'primary', onClick: goAhead(step.plan) },
          `Redrive ${counted(events, 'event')}`,
        ),
    ),
  );
}

function Words({ step, asked, live }: Omit<DialogProps, 'close'> & { readonly step: Step }): ComponentChild {
  switch (step.name) {
    case 'planning':
      return h('p', null, 'Counting …');
    case 'asking':
      return h(Question, { asked, events: step.plan.events });
    case 'starting':
      return h('p', null, 'Starting …');
    case 'started':
      return h(Started, { started: step.started, live });
    case 'refused':
      return h('p', { class: 'problem' }, h('strong', null, 'The redrive was not started. '), step.reason);
  }
}

function Question({ asked, events }: { readonly asked: Asked; readonly events: number }): ComponentChild {
  if (events === 0) return h('p', null, `There is no dead event ${asked.words} any more.`);
  return h(
    'div',
    null,
    h('p', null, h('strong', null, `This makes ${counted(events, 'event')} ${asked.words} pending again.`)),
    h(
      'ul',
      null,
      h('li', null, 'The sweep, or a worker, publishes them within a minute or two.'),
      h('li', null, 'It fixes nothing: if the cause still exists, the event dies again.'),
      h('li', null, "It is safe for the graph: an event older than the graph's state has no effect."),
    ),
  );
}

/** The progress may arrive before or after the answer to the start. */
function Started({ started, live }: { readonly started: RedriveMessage; readonly live: Live }): ComponentChild {
  const redrive = live.redrive?.id === started.id ? live.redrive : started;
  if (redrive.state === 'running' && live.connection !== 'live')
    return h('p', { class: 'problem' }, 'The console does not answer. Events that it did not reach are still dead.');
  return h(Course, { redrive });
}

/** The progress of a redrive, then its result. */
export function Course({ redrive }: { readonly redrive: RedriveMessage }): ComponentChild {
  const { state, changed, events, failure } = redrive;
  const are = `${counted(changed, 'event')} ${changed === 1 ? 'is' : 'are'} pending again`;
  switch (state) {
    case 'running':
      return h(
        'p',
        null,
        changed === 0 ? 'Running …' : `${count(changed)} of ${counted(events, 'event')} are pending again …`,
      );
    case 'done':
      return h('p', null, h('strong', null, `${are}.`));
    case 'interrupted':
      return h(
        'p',
        null,
        h('strong', null, `${are}.`),
        ' It was interrupted: the others are still dead. Redrive them again.',
      );
    case 'failed':
      return h(
        'p',
        { class: 'problem' },
        h('strong', null, `It failed; ${are}. `),
        failure === null ? '' : explain(failure),
      );
  }
}
