/**
 * Reads the conformance tables, with each value in its BSON type. README.md in this folder
 * describes them.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Document, EJSON } from 'bson';
import { projectRoot } from '../../tools/local/paths.ts';

interface Case {
  /** A sentence that says what the case tests. */
  readonly name: string;
  /** The code of the refusal; absent if the case is valid. */
  readonly refused?: string;
}

export interface DocumentCase extends Case {
  readonly aggregateType: string;
  readonly collection: string;
  readonly document: Document;
  /** The path that the refusal's message names. */
  readonly at?: string;
}

export interface EventCase extends Case {
  readonly change: Document;
  readonly traceparent?: string;
  readonly at?: string;
  readonly event?: Document;
}

export interface ValidatorCase extends Case {
  readonly set: Document;
  readonly unset?: readonly string[];
}

export interface VerbCase extends Case {
  /** The field that names the aggregate; absent if it is `_id`. */
  readonly aggregateId?: string;
  /** The fields that the projection reads; absent if it is all of them. */
  readonly reads?: readonly string[];
  /** An index of the collection, which the calls can name as a hint. */
  readonly index?: { readonly key: Document; readonly name: string; readonly sparse: boolean };
  readonly before: readonly Document[];
  readonly calls: readonly Document[];
  readonly together?: boolean;
  readonly abort?: boolean;
  /** The transaction catches the errors of the calls and then attempts to commit. */
  readonly caught?: boolean;
  readonly after: readonly Document[];
  readonly events: readonly Document[];
}

export interface SessionCase extends Case {
  readonly session: 'none' | 'idle' | 'transaction' | 'w1';
}

interface Tables {
  readonly documents: DocumentCase;
  readonly events: EventCase;
  readonly validator: ValidatorCase;
  readonly verbs: VerbCase;
  readonly sessions: SessionCase;
}

/** Reads the cases of one table, from this folder or another one of the project. */
export function readCases<Name extends keyof Tables>(name: Name, folder = 'test/conformance'): readonly Tables[Name][] {
  const text = readFileSync(path.join(projectRoot, folder, `${name}.json`), 'utf8');
  return (EJSON.parse(text, { relaxed: false }) as { cases: Tables[Name][] }).cases;
}
