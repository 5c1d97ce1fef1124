/** Shows a block of lines repeatedly: in place on a terminal, one below the other in a file. */

interface Screen {
  readonly isTTY?: boolean;
  readonly write: (text: string) => unknown;
}

export interface BlockScreen {
  readonly show: (text: string) => void;
  /** Restores the terminal, and leaves the last block on it. */
  readonly end: () => void;
}

// Use the terminal's alternate screen, as pagers do: no earlier block stays visible, and the
// previous content is kept.
const enter = '\u001b[?1049h';
const leave = '\u001b[?1049l';
const home = '\u001b[H';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';

export function createBlockScreen(screen: Screen): BlockScreen {
  let last: string | null = null;
  if (screen.isTTY !== true) return { show: (text) => void screen.write(`${text}\n\n`), end: () => undefined };
  return {
    show: (text) => {
      const lines = text.replaceAll('\n', `${clearLine}\n`);
      screen.write(`${last === null ? enter : ''}${home}${lines}${clearLine}\n${clearBelow}`);
      last = text;
    },
    end: () => {
      if (last !== null) screen.write(`${leave}${last}\n`);
      last = null;
    },
  };
}
