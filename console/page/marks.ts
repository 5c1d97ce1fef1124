/** How the elements that differ are marked: by a sign and words, and only besides by colour. */
import type { Mark } from '../messages.ts';

export const marks: Readonly<Record<Mark, { readonly sign: string; readonly words: string }>> = {
  same: { sign: '', words: 'the same' },
  missing: { sign: '−', words: 'missing in the graph' },
  extra: { sign: '+', words: 'not in the document' },
  changed: { sign: '≠', words: 'different' },
  unknown: { sign: '?', words: 'cannot be compared' },
};

/** Whether document and graph disagree about an element, or may do so. */
export function differs({ mark }: { readonly mark: Mark }): boolean {
  return mark !== 'same';
}

export const differingMarks: readonly Mark[] = ['missing', 'extra', 'changed'];
