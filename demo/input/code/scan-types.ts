/**
 * The types of a scan: the documents of `code_files`, before they belong to an organisation and a
 * repository.
 */

/** Source texts by path, such as "src/index.ts". */
export type Sources = ReadonlyMap<string, string>;

/** One declaration: the properties of its symbol in the graph. */
export interface ScannedSymbol {
  readonly symbol_name: string;
  readonly symbol_type: string;
  readonly signature: string;
  readonly docstring: string | null;
  readonly start_line: number;
  readonly end_line: number;
  readonly line_count: number;
  readonly parent_class: string | null;
  readonly is_public: boolean;
  /** Whether the package's entry file exports it. */
  readonly is_entrypoint: boolean;
  readonly complexity_bucket: 'low' | 'medium' | 'high';
  readonly language: 'typescript';
  readonly content_hash: string;
  readonly signature_hash: string;
}

/** A symbol of the same file or another one. */
export interface SymbolName {
  readonly file_path: string;
  readonly symbol_name: string;
}

export interface ScannedCall {
  readonly from: string;
  readonly to: SymbolName;
  readonly call_count: number;
  /** False if the callee is only passed as an argument, as a callback. */
  readonly is_direct: boolean;
}

export interface ScannedImport {
  readonly file_path: string;
  /**
   * "type" if only types are imported, "reexport" if the import is only passed on, otherwise
   * "value".
   */
  readonly import_type: 'value' | 'type' | 'reexport';
}

/** From a class or interface to one that it extends or implements. */
export interface ScannedLink {
  readonly from: string;
  readonly to: SymbolName;
}

/** One file: the fields of its document in `code_files`, except `_id`, `org_id` and `repo`. */
export interface ScannedFile {
  readonly file_path: string;
  readonly language: 'typescript';
  readonly symbol_count: number;
  readonly total_lines: number;
  readonly content_hash: string;
  /**
   * In the order of the source. A getter and its setter have the same name, and so do overloads.
   */
  readonly symbols: readonly ScannedSymbol[];
  readonly calls: readonly ScannedCall[];
  readonly imports: readonly ScannedImport[];
  readonly inherits: readonly ScannedLink[];
  readonly implements: readonly ScannedLink[];
}

/** The result of scanning the files. */
export interface Scan {
  readonly files: readonly ScannedFile[];
  readonly leftOut: LeftOut;
}

/** Calls that make no edge. */
export interface LeftOut {
  /**
   * The callee is not one of the symbols: it belongs to Node or another package, or is a parameter
   * or an interface's member.
   */
  readonly callsElsewhere: number;
  /** The call is outside of any symbol. */
  readonly callsAtTopLevel: number;
}
