import { type Document, Double, Int32, ObjectId } from 'bson';
import { describe, expect, it } from 'vitest';
import { projectPayload } from '../../../lib/projection/project.ts';
import { codeAnnotation } from '../../../xmem/aggregates/code-annotation.ts';
import { codeRepository } from '../../../xmem/aggregates/code-repository.ts';

const project = (fields: Document) =>
  projectPayload(codeAnnotation, 'a1', {
    _id: new ObjectId(),
    annotation_id: 'n1',
    org_id: 'o',
    repo: 'r',
    target: { kind: 'file', file_path: 'src/a.ts' },
    ...fields,
  });

describe('an annotation', () => {
  it.each([
    [
      { kind: 'symbol', file_path: 'src/a.ts', symbol_name: 'run', relevance: new Double(1) },
      { label: 'Symbol', key: { org_id: 'o', repo: 'r', file_path: 'src/a.ts', symbol_name: 'run' } },
      { relevance: 1 },
    ],
    [
      { kind: 'file', file_path: 'src/a.ts', symbol_name: null, dir_path: null, relevance: new Int32(1) },
      { label: 'File', key: { org_id: 'o', repo: 'r', file_path: 'src/a.ts' } },
      { relevance: 1n },
    ],
    [
      { kind: 'directory', dir_path: 'src/' },
      { label: 'Directory', key: { org_id: 'o', repo: 'r', dir_path: 'src/' } },
      {},
    ],
    [
      { kind: 'directory', dir_path: '/', relevance: null },
      { label: 'Directory', key: { org_id: 'o', repo: 'r', dir_path: '/' } },
      {},
    ],
  ])('points at its target, which is an endpoint only: %o', (target, to, properties) => {
    const { nodes, relationships } = project({ target });
    expect(nodes).toMatchObject([
      { label: 'Annotation', key: { annotation_id: 'n1' }, properties: { org_id: 'o', repo: 'r' } },
    ]);
    expect(relationships).toMatchObject([{ type: 'ANNOTATES', from: { label: 'Annotation' }, to, properties }]);
    expect(relationships[0]?.properties).toStrictEqual(properties);
  });

  it('keeps its times as they are stored, as texts or dates', () => {
    const created_at = new Date('2024-02-29T12:00:00.000Z');
    const [node] = project({ created_at, resolved_at: '2024-03-01', content: '', severity: null }).nodes;
    expect(node?.properties).toStrictEqual({
      org_id: 'o',
      repo: 'r',
      created_at,
      resolved_at: '2024-03-01',
      content: '',
    });
  });

  it.each([
    [{ target: { kind: 'symbol', file_path: 'src/a.ts' } }, 'payload.target.symbol_name'],
    [{ target: { kind: 'file', file_path: '' } }, 'payload.target.file_path'],
    [{ target: { kind: 'directory', dir_path: 'src' } }, 'payload.target.dir_path'],
    [{ target: { kind: 'line' } }, 'payload.target.kind'],
    [{ target: null }, 'payload.target'],
    [{ annotation_id: '' }, 'payload.annotation_id'],
    [{ created_at: 5 }, 'payload.created_at'],
    [{ resolved_at: new Date(Number.NaN) }, 'payload.resolved_at'],
  ])('is refused with the path of the invalid field: %o', (fields, path) => {
    expect(() => project(fields)).toThrow(
      expect.objectContaining({ code: 'payload-invalid', message: expect.stringContaining(path) }),
    );
  });
});

it('a repository is one owned node and needs a name', () => {
  const { nodes, relationships } = projectPayload(codeRepository, 'r1', { _id: 'r1', org_id: 'o', repo_name: 'r' });
  expect(nodes).toMatchObject([{ label: 'Repository', key: { org_id: 'o', repo_name: 'r' }, shared: false }]);
  expect(relationships).toStrictEqual([]);
  expect(() => projectPayload(codeRepository, 'r1', { org_id: 'o', repo_name: '' })).toThrow(
    expect.objectContaining({ code: 'payload-invalid', message: expect.stringContaining('payload.repo_name') }),
  );
});
