/** The marks of elements that differ: a sign and words, and additionally a colour. */
import type { Mark } from '../messages.ts';

export const marks: Readonly<Record<Mark, { readonly sign: string; readonly words: string }>> = {
  same: { sign: '', words: 'the same' },
  missing: { sign: '−', words: 'missing in the graph' },
  extra: { sign: '+', words: 'not in the document' },
  changed: { sign: '≠', words: 'different' },
  unknown: { sign: '?', words: 'cannot be compared' },
};

/** Whether document and graph differ, or may differ, in an element. */
export function differs({ mark }: { readonly mark: Mark }): boolean {
  return mark !== 'same';
}

export const differingMarks: readonly Mark[] = ['missing', 'extra', 'changed'];
