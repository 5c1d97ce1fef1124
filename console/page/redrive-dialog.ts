/** Asks before events become pending again: says how many and what that does, then how it went. */
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
  | { readonly name: 'started'; readonly begun: RedriveMessage }
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
      (begun) => setStep({ name: 'started', begun }),
      refused,
    );
  };
  const onClose = () => {
    close();
    // Where the button that opened it is gone with its row, the browser has nowhere to put the focus back.
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
      return h('p', null, 'Under way …');
    case 'started':
      return h(Started, { begun: step.begun, live });
    case 'refused':
      return h('p', { class: 'problem' }, h('strong', null, 'It was not begun. '), step.reason);
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
      h('li', null, 'The sweep publishes them within a minute or two; a worker sweeps by itself.'),
      h('li', null, 'It mends nothing: an event whose reason is still there dies again.'),
      h('li', null, 'It is safe for the graph: what is older than what the graph knows has no effect.'),
    ),
  );
}

/** The server's word may come before or after its answer. */
function Started({ begun, live }: { readonly begun: RedriveMessage; readonly live: Live }): ComponentChild {
  const redrive = live.redrive?.id === begun.id ? live.redrive : begun;
  if (redrive.state === 'running' && live.connection !== 'live')
    return h('p', { class: 'problem' }, 'The console does not answer. What it had not reached is still dead.');
  return h(Course, { redrive });
}

/** How it goes, then how it went. */
export function Course({ redrive }: { readonly redrive: RedriveMessage }): ComponentChild {
  const { state, changed, events, failure } = redrive;
  const are = `${counted(changed, 'event')} ${changed === 1 ? 'is' : 'are'} pending again`;
  switch (state) {
    case 'running':
      return h(
        'p',
        null,
        changed === 0 ? 'Under way …' : `${count(changed)} of ${counted(events, 'event')} are pending again …`,
      );
    case 'done':
      return h('p', null, h('strong', null, `${are}.`));
    case 'interrupted':
      return h(
        'p',
        null,
        h('strong', null, `${are}.`),
        ' It was interrupted: the others are still dead; redrive them again.',
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
