/** Makes one harmless line of a text that others had a hand in. */

/**
 * Control and format characters, line and paragraph separators: whatever a terminal or a log would take for more than
 * text.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** A message is for people, and is kept in the outbox: what is longer than this is more than anybody reads. */
const maxCharacters = 2_000;

/**
 * The text with its line breaks, escape sequences and invisible characters written out (`\u001b`), cut where it is too
 * long.
 */
export function printable(text: string): string {
  // Cut before it is searched: a name may be as long as a document.
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
  return escapeUnprintable(cut).slice(0, maxCharacters);
}

/** The same without the cut, for what somebody asked to see as a whole. */
export function escapeUnprintable(text: string): string {
  return text.replace(unprintable, escaped);
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
