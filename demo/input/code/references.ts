/**
 * Finds the references of a file to the sources: calls, imports, and the classes and interfaces
 * that its own extend or implement.
 */
import ts from 'typescript';
import { enclosingDeclared, qualifiedName } from './declarations.ts';
import type { ScannedCall, ScannedImport, ScannedLink, Sources, SymbolName } from './scan-types.ts';

/** The references of one file, and the number of its calls that make no edge. */
export interface References {
  readonly calls: readonly ScannedCall[];
  readonly imports: readonly ScannedImport[];
  readonly inherits: readonly ScannedLink[];
  readonly implemented: readonly ScannedLink[];
  readonly callsElsewhere: number;
  readonly callsAtTopLevel: number;
}

type CallNode = ts.CallExpression | ts.NewExpression;

/** Walks through a file. Lists each edge once, in the order of the source. */
export function findReferences(source: ts.SourceFile, checker: ts.TypeChecker, sources: Sources): References {
  const calls = new Map<string, ScannedCall>();
  const imports = new Map<string, ScannedImport>();
  const inherits = new Map<string, ScannedLink>();
  const implemented = new Map<string, ScannedLink>();
  const missing = { callsElsewhere: 0, callsAtTopLevel: 0 };

  const within = (symbol: SymbolName | undefined) =>
    symbol !== undefined && sources.has(symbol.file_path) ? symbol : undefined;
  const addCall = (node: ts.Node, to: SymbolName | undefined, isDirect: boolean) => {
    const caller = enclosingDeclared(node);
    const from = caller === undefined ? undefined : qualifiedName(caller);
    if (to === undefined) missing.callsElsewhere += isDirect ? 1 : 0;
    else if (from === undefined) missing.callsAtTopLevel += 1;
    else {
      const known = calls.get(edgeName(from, to));
      const call_count = (known?.call_count ?? 0) + 1;
      calls.set(edgeName(from, to), { from, to, call_count, is_direct: isDirect || known?.is_direct === true });
    }
  };
  const addLinks = (clause: ts.HeritageClause, links: Map<string, ScannedLink>) => {
    const from = qualifiedName(clause.parent);
    for (const { expression } of from === undefined ? [] : clause.types) {
      const to = within(declarationOf(checker, expression));
      if (from !== undefined && to !== undefined) links.set(edgeName(from, to), { from, to });
    }
  };
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
      if (node.expression.kind !== ts.SyntaxKind.ImportKeyword)
        addCall(node, within(calledSymbol(checker, node)), true);
      for (const argument of node.arguments ?? []) {
        const passed = within(passedSymbol(checker, argument));
        if (passed !== undefined) addCall(argument, passed, false);
      }
    } else if (ts.isHeritageClause(node)) {
      const links = node.token === ts.SyntaxKind.ExtendsKeyword ? inherits : implemented;
      addLinks(node, links);
    }
    const imported = importOf(checker, node, sources);
    if (imported !== undefined) imports.set(imported.file_path, stronger(imports.get(imported.file_path), imported));
    ts.forEachChild(node, visit);
  };
  visit(source);
  const listed = <Edge>(edges: ReadonlyMap<string, Edge>) => [...edges.values()];
  return {
    calls: listed(calls),
    imports: listed(imports),
    inherits: listed(inherits),
    implemented: listed(implemented),
    ...missing,
  };
}

/** The symbol that a call runs. */
function calledSymbol(checker: ts.TypeChecker, node: CallNode): SymbolName | undefined {
  const declaration = checker.getResolvedSignature(node)?.declaration;
  const called = declaration === undefined ? undefined : symbolOf(declaration);
  if (called !== undefined) return called;
  // This is a class without its own constructor, or a value whose type does not show where it was
  // declared.
  return declarationOf(checker, node.expression);
}

/** A function or method that is passed as an argument: the callee may call it. */
function passedSymbol(checker: ts.TypeChecker, argument: ts.Expression): SymbolName | undefined {
  if (!ts.isIdentifier(argument) && !ts.isPropertyAccessExpression(argument)) return undefined;
  const symbol = aliased(checker, checker.getSymbolAtLocation(argument));
  if (symbol === undefined || (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Method)) === 0)
    return undefined;
  return declarationOf(checker, argument);
}

function declarationOf(checker: ts.TypeChecker, expression: ts.Expression): SymbolName | undefined {
  const declaration = aliased(checker, checker.getSymbolAtLocation(expression))?.declarations?.[0];
  return declaration === undefined ? undefined : symbolOf(declaration);
}

/**
 * A function that is the value of a variable or property has the name of that variable or property.
 */
function symbolOf(declaration: ts.Node): SymbolName | undefined {
  const holder =
    ts.isArrowFunction(declaration) || ts.isFunctionExpression(declaration) ? declaration.parent : declaration;
  const symbol_name = qualifiedName(holder);
  const fileName = holder.getSourceFile()?.fileName;
  return symbol_name === undefined || fileName === undefined
    ? undefined
    : { file_path: fileName.slice(1), symbol_name };
}

function aliased(checker: ts.TypeChecker, symbol: ts.Symbol | undefined): ts.Symbol | undefined {
  return symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/**
 * The source file that an import or export statement, an import expression or an import type names.
 */
function importOf(checker: ts.TypeChecker, node: ts.Node, sources: Sources): ScannedImport | undefined {
  const specifier = specifierOf(node);
  if (specifier === undefined) return undefined;
  const module = checker.getSymbolAtLocation(specifier)?.declarations?.find(ts.isSourceFile);
  const file_path = module?.fileName.slice(1);
  if (file_path === undefined || !sources.has(file_path)) return undefined;
  return { file_path, import_type: importType(node) };
}

function specifierOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument.literal as ts.Expression;
  return undefined;
}

function importType(node: ts.Node): ScannedImport['import_type'] {
  if (ts.isImportTypeNode(node)) return 'type';
  if (ts.isExportDeclaration(node)) return 'reexport';
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return 'value';
  const { isTypeOnly, name, namedBindings } = node.importClause;
  const onlyTypes =
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly);
  return isTypeOnly || onlyTypes ? 'type' : 'value';
}

/** Of several imports of one file, the one that uses most of it. */
function stronger(known: ScannedImport | undefined, other: ScannedImport): ScannedImport {
  const order = ['type', 'reexport', 'value'];
  return known !== undefined && order.indexOf(known.import_type) >= order.indexOf(other.import_type) ? known : other;
}

function edgeName(from: string, to: SymbolName): string {
  return JSON.stringify([from, to.file_path, to.symbol_name]);
}
