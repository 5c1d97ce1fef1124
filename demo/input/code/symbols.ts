/** Describes symbols for a scan: the properties of their nodes in the graph. */
import ts from 'typescript';
import { type Declared, holdsFunction, parentClass, qualifiedName } from './declarations.ts';
import type { ScannedSymbol } from './scan-types.ts';
import { shortHash } from './short-hash.ts';

const signatureCharacters = 500;

/** Describes a declaration. Lines count from 1. */
export function describeSymbol(source: ts.SourceFile, node: Declared, isEntrypoint: boolean): ScannedSymbol {
  const start = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  const end = source.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
  const signature = signatureText(source, node);
  return {
    symbol_name: qualifiedName(node) ?? '',
    symbol_type: symbolType(node),
    signature,
    docstring: docstring(node),
    start_line: start,
    end_line: end,
    line_count: end - start + 1,
    parent_class: parentClass(node) ?? null,
    is_public: isPublic(node),
    is_entrypoint: isEntrypoint,
    complexity_bucket: complexityBucket(node),
    language: 'typescript',
    content_hash: shortHash(node.getText()),
    signature_hash: shortHash(signature),
  };
}

function symbolType(node: Declared): string {
  if (ts.isClassDeclaration(node)) return 'class';
  if (ts.isInterfaceDeclaration(node)) return 'interface';
  if (ts.isTypeAliasDeclaration(node)) return 'type';
  if (ts.isEnumDeclaration(node)) return 'enum';
  if (ts.isFunctionDeclaration(node)) return 'function';
  if (ts.isConstructorDeclaration(node)) return 'constructor';
  if (ts.isGetAccessor(node)) return 'getter';
  if (ts.isSetAccessor(node)) return 'setter';
  if (ts.isMethodDeclaration(node) || ts.isPropertyDeclaration(node)) return 'method';
  return ts.isVariableDeclaration(node) ? 'function' : 'variable';
}

/** Everything before the body, on one line. */
function signatureText(source: ts.SourceFile, node: Declared): string {
  const body = bodyOf(node);
  const text = source.text.slice(node.getStart(), body?.pos ?? node.getEnd());
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, signatureCharacters);
}

function bodyOf(node: Declared): ts.Node | undefined {
  if (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node)) {
    return node.initializer !== undefined && holdsFunction(node)
      ? (node.initializer as ts.ArrowFunction | ts.FunctionExpression).body
      : node.initializer;
  }
  if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) return node.members[0];
  if (ts.isEnumDeclaration(node)) return node.members[0];
  return 'body' in node ? node.body : undefined;
}

function docstring(node: Declared): string | null {
  const texts = ts
    .getJSDocCommentsAndTags(node)
    .filter(ts.isJSDoc)
    .map((comment) => ts.getTextOfJSDocComment(comment.comment) ?? '')
    .filter((text) => text !== '');
  return texts.length === 0 ? null : texts.join('\n\n');
}

/** Whether it is a member that is not private, or exported by its file. */
function isPublic(node: Declared): boolean {
  const flags = ts.getCombinedModifierFlags(node);
  if (ts.isClassElement(node)) {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    return (flags & hidden) === 0 && !(node.name !== undefined && ts.isPrivateIdentifier(node.name));
  }
  return ts.isExportAssignment(node) || (flags & ts.ModifierFlags.Export) !== 0;
}

const branches = new Set([
  ts.SyntaxKind.IfStatement,
  ts.SyntaxKind.ConditionalExpression,
  ts.SyntaxKind.ForStatement,
  ts.SyntaxKind.ForInStatement,
  ts.SyntaxKind.ForOfStatement,
  ts.SyntaxKind.WhileStatement,
  ts.SyntaxKind.DoStatement,
  ts.SyntaxKind.CaseClause,
  ts.SyntaxKind.CatchClause,
]);

/** By the number of branches: up to 4, up to 10, more. */
function complexityBucket(node: Declared): ScannedSymbol['complexity_bucket'] {
  let count = 0;
  const visit = (inner: ts.Node) => {
    if (branches.has(inner.kind)) count += 1;
    ts.forEachChild(inner, visit);
  };
  visit(node);
  return count <= 4 ? 'low' : count <= 10 ? 'medium' : 'high';
}
