/** Converts untrusted text to one printable line. */

/**
 * Control and format characters, and line and paragraph separators. They may affect a terminal or
 * split a log line.
 */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Maximum length of a message, which people read and the outbox stores. */
const maxCharacters = 2_000;

/**
 * Escapes line breaks, escape sequences and invisible characters (`\u001b`), and truncates long
 * text.
 */
export function printable(text: string): string {
  // Truncated before the search, because a name may be as long as a document.
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
  return escapeUnprintable(cut).slice(0, maxCharacters);
}

/** Escapes without truncation, for text that a person asked to see in full. */
export function escapeUnprintable(text: string): string {
  return text.replace(unprintable, escaped);
}

function escaped(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}
