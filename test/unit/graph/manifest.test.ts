/**
 * Pins the form of the manifest: if it changed without a new number, every aggregate's next update
 * would trust lines with another meaning. If you change the form, give it a new number, add its
 * lines to `manifest-lines.json`, and leave those of the older forms unchanged.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { EJSON } from 'bson';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../../lib/contract/fault.ts';
import {
  createManifest,
  decodeManifest,
  emptyManifest,
  encodeManifest,
  listedName,
  manifestForm,
  readLine,
  withUnknownContent,
} from '../../../lib/graph/manifest.ts';
import { readSubgraph } from '../../../lib/projection/read-subgraph.ts';

interface KnownSubgraph {
  readonly name: string;
  readonly owner: string;
  /** As a payload in Extended JSON, so that every value keeps its type. */
  readonly subgraph: unknown;
  /** The text in the registry, by the form's number. */
  readonly texts: Readonly<Record<string, string>>;
}

const known = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'manifest-lines.json'), 'utf8'),
) as readonly KnownSubgraph[];

describe('the form of the manifest', () => {
  it.each(known)('is exactly that of its number: $name', ({ owner, subgraph, texts }) => {
    const read = readSubgraph(EJSON.deserialize(subgraph as object, { relaxed: false }));
    expect(texts).toHaveProperty([String(manifestForm)]);
    expect(encodeManifest(createManifest(read, owner))).toBe(texts[String(manifestForm)]);
  });

  it('of a deletion is only its number', () => {
    expect(encodeManifest(emptyManifest)).toBe(`${manifestForm}\n`);
  });
});

describe('a manifest of another form', () => {
  it('that is newer is a retryable fault, which says to deploy the newer version again', () => {
    const fault = faultOf(`${manifestForm + 1}\nn - ["A",[["id","sx"]]]\n`);
    expect(fault.code).toBe('manifest-unknown');
    expect(fault.retryable).toBe(true);
    expect(fault.message).toContain(`have form ${manifestForm + 1}, and this version reads form ${manifestForm}`);
    expect(fault.message).toContain('Deploy the newer version again');
  });

  it.each([
    '{"v":1,"n":[],"r":[]}\n',
    '1\nn - ["A",[["id","sx"]]]\n',
    'n - ["A",[["id","sx"]]]\n',
    '02\n',
    '',
  ])('that is older or invalid is a retryable fault, and is not misread: %j', (text) => {
    const fault = faultOf(text);
    expect(fault.code).toBe('manifest-unknown');
    expect(fault.retryable).toBe(true);
    expect(fault.message).not.toContain('newer version of outgraph');
    expect(fault.message).toContain(`form begins with "${text.split('\n')[0]?.slice(0, 8)}", and`);
  });

  it.each(['0003', '3x', '3 ', 'x3', '-3', '1234567890'])('with form %j is not treated as newer', (form) => {
    expect(faultOf(`${form}\n`).message).not.toContain('newer version of outgraph');
  });

  it('with several digits is newer', () => {
    expect(faultOf('123456789\n').message).toContain('have form 123456789');
  });
});

describe('a line of a manifest', () => {
  const owner = 'graph:1';
  const [node = '', relationship = ''] = createManifest(
    readSubgraph({
      nodes: [{ label: 'A', key: { id: 'x' } }],
      relationships: [{ type: 'R', from: { label: 'A', key: { id: 'x' } }, to: { label: 'B', key: { id: 'y' } } }],
    }),
    owner,
  );

  it('with unknown content names the same element, and equals no content', () => {
    for (const line of [node, relationship]) {
      const unknown = withUnknownContent(line);
      expect(readLine(unknown)).toStrictEqual(readLine(line));
      const [kind, content] = line.split(' ');
      expect(unknown).toBe(line.replace(`${kind} ${content} `, `${kind} ! `));
    }
  });

  it('names a node by its identity, and a relationship by its type and id', () => {
    expect(listedName(readLine(node))).toBe('["A",[["id","sx"]]]');
    const [, , id, type] = relationship.split(' ');
    expect(listedName(readLine(relationship))).toBe(`${type} ${id}`);
    expect(type).toBe('R');
  });
});

function faultOf(text: string): Fault {
  try {
    decodeManifest(text);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('It was read.');
}
