/** Asks before events become pending again: says how many and what that does, then how it went. */
import { type ComponentChild, h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RedrivePlan, RedriveProgress, RedriveResult, Sent } from '../messages.ts';
import { postJson } from './ask-server.ts';
import type { Asked } from './dead-page.ts';
import { count, counted } from './format.ts';

type Step =
  | { readonly name: 'planning' }
  | { readonly name: 'asking'; readonly plan: Sent<RedrivePlan> }
  | { readonly name: 'running'; readonly plan: Sent<RedrivePlan> }
  | { readonly name: 'done'; readonly result: RedriveResult }
  | { readonly name: 'failed'; readonly reason: string };

interface DialogProps {
  readonly asked: Asked;
  readonly progress: RedriveProgress | null;
  readonly close: () => void;
}

export function RedriveDialog({ asked, progress, close }: DialogProps): ComponentChild {
  const dialog = useRef<HTMLDialogElement>(null);
  const [step, setStep] = useState<Step>({ name: 'planning' });
  // What was told of the redrive before this one is not about this one.
  const [earlier] = useState(progress);
  const failed = (error: Error) => setStep({ name: 'failed', reason: error.message });

  useEffect(() => {
    dialog.current?.showModal();
    postJson<Sent<RedrivePlan>>('redrive/plan', asked.selection).then(
      (plan) => setStep({ name: 'asking', plan }),
      failed,
    );
  }, []);

  const goAhead = (plan: Sent<RedrivePlan>) => () => {
    setStep({ name: 'running', plan });
    postJson<RedriveResult>('redrive', { selection: asked.selection, plan }).then(
      (result) => setStep({ name: 'done', result }),
      failed,
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
    h('div', { 'aria-live': 'polite' }, h(Words, { step, asked, progress: progress === earlier ? null : progress })),
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

function Words({ step, asked, progress }: Omit<DialogProps, 'close'> & { readonly step: Step }): ComponentChild {
  switch (step.name) {
    case 'planning':
      return h('p', null, 'Counting …');
    case 'asking':
      return h(Question, { asked, events: step.plan.events });
    case 'running':
      return h(
        'p',
        null,
        progress === null || progress.changed === 0
          ? 'Under way …'
          : `${count(progress.changed)} of ${counted(progress.events, 'event')} are pending again …`,
      );
    case 'done':
      return h(Outcome, { result: step.result });
    case 'failed':
      return h('p', { class: 'problem' }, h('strong', null, 'It failed. '), step.reason);
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

function Outcome({ result: { changed, outcome } }: { readonly result: RedriveResult }): ComponentChild {
  const are = changed === 1 ? 'is' : 'are';
  const rest = outcome === 'interrupted' ? ' It was interrupted: the others are still dead; redrive them again.' : '';
  return h('p', null, h('strong', null, `${counted(changed, 'event')} ${are} pending again.`), rest);
}
