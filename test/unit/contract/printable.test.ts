import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import { printable } from '../../../lib/contract/printable.ts';

describe('a text for people', () => {
  it.each([
    ['a line break, which could fake a log line', 'a\nb\r\n', String.raw`a\u000ab\u000d\u000a`],
    ['an escape sequence, which could rewrite a terminal', '\u001b[2Ja\u009b31m', String.raw`\u001b[2Ja\u009b31m`],
    ['a change of direction, which could hide text', 'a\u202eb', String.raw`a\u202eb`],
    ['separators and invisible characters', 'a\u2028\u200b\u{e0041}', String.raw`a\u2028\u200b\u{e0041}`],
    ['half a character', 'a\ud800', String.raw`a\ud800`],
  ])('has %s escaped', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('is otherwise unchanged', () => {
    expect(printable('nodes[0].properties.größe: 東京 😀 "{}"')).toBe('nodes[0].properties.größe: 東京 😀 "{}"');
  });

  it('is always one line of at most 2,000 characters', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 3_000 }), fc.constant('\n'.repeat(5_000)));
    fc.assert(
      fc.property(text, (any) => {
        const shown = printable(any);
        expect(shown).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(2_000);
        expect(printable(shown)).toBe(shown);
      }),
    );
  });

  it("is the form of every fault's message", () => {
    expect(new Fault('name-invalid', 'nodes[0].\n"message":"all is well"').message).toBe(
      String.raw`nodes[0].\u000a"message":"all is well"`,
    );
  });
});
