import { expect, it } from 'vitest';
import { createBlockScreen } from '../../../cli/terminal/block-screen.ts';

const record = (isTTY: boolean) => {
  const written: string[] = [];
  return { screen: createBlockScreen({ isTTY, write: (text) => written.push(text) }), written };
};

it('writes each block below the previous one if the output is a file', () => {
  const { screen, written } = record(false);
  screen.show('one\ntwo');
  screen.show('three');
  screen.end();
  expect(written).toStrictEqual(['one\ntwo\n\n', 'three\n\n']);
});

it('on a terminal, replaces the previous block, and leaves the last block at the end', () => {
  const { screen, written } = record(true);
  screen.show('one\ntwo');
  screen.show('three');
  screen.end();
  screen.end();
  expect(written).toStrictEqual([
    '\u001b[?1049h\u001b[Hone\u001b[K\ntwo\u001b[K\n\u001b[J',
    '\u001b[Hthree\u001b[K\n\u001b[J',
    '\u001b[?1049lthree\n',
  ]);
});
