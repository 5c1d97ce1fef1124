/**
 * Decides which declarations are symbols, and their names. Symbols are classes with their members,
 * interfaces, type aliases, enums, functions and variables, all at the top level of a file. A
 * member's name is qualified by its class. A declaration inside a function is part of the function.
 * Variables and properties count only if they hold a function.
 */
import ts from 'typescript';

/** A declaration that is a symbol. */
export type Declared =
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.EnumDeclaration
  | ts.FunctionDeclaration
  | ts.VariableDeclaration
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration
  | ts.AccessorDeclaration
  | ts.PropertyDeclaration
  | ts.ExportAssignment;

/** The symbols of a file, in the order of the source. */
export function listDeclarations(source: ts.SourceFile): readonly Declared[] {
  const found: Declared[] = [];
  const add = (node: ts.Node) => {
    if (isDeclared(node)) found.push(node);
  };
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(add);
    else add(statement);
    if (ts.isClassDeclaration(statement)) statement.members.forEach(add);
  }
  return found;
}

/** The symbol that a node belongs to: itself, or the nearest enclosing one. */
export function enclosingDeclared(node: ts.Node): Declared | undefined {
  for (let at: ts.Node | undefined = node; at !== undefined; at = at.parent) if (isDeclared(at)) return at;
  return undefined;
}

/** The name of a declaration in its file; undefined if it is not a symbol. */
export function qualifiedName(node: ts.Node): string | undefined {
  if (!isDeclared(node)) return undefined;
  if (ts.isExportAssignment(node)) return 'default';
  if (ts.isClassElement(node)) {
    const own = ts.isConstructorDeclaration(node) ? 'constructor' : memberName(node.name);
    return `${className(node.parent as ts.ClassDeclaration)}.${own}`;
  }
  return node.name === undefined ? 'default' : node.name.getText();
}

/** Whether the value of a variable or property is a function. */
export function holdsFunction({ initializer }: ts.VariableDeclaration | ts.PropertyDeclaration): boolean {
  return initializer !== undefined && (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer));
}

/** The class around a member. */
export function parentClass(node: Declared): string | undefined {
  return ts.isClassElement(node) ? className(node.parent as ts.ClassDeclaration) : undefined;
}

function isDeclared(node: ts.Node): node is Declared {
  if (ts.isClassElement(node)) return isDeclaredMember(node);
  if (ts.isVariableDeclaration(node)) {
    return ts.isIdentifier(node.name) && ts.isSourceFile(node.parent.parent.parent) && holdsFunction(node);
  }
  if (ts.isExportAssignment(node)) return !ts.isIdentifier(node.expression);
  return (
    ts.isSourceFile(node.parent ?? node) &&
    (ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isEnumDeclaration(node) ||
      ts.isFunctionDeclaration(node))
  );
}

function isDeclaredMember(node: ts.ClassElement): node is Declared & ts.ClassElement {
  if (!ts.isClassDeclaration(node.parent) || !ts.isSourceFile(node.parent.parent)) return false;
  if (ts.isPropertyDeclaration(node)) return holdsFunction(node);
  return ts.isMethodDeclaration(node) || ts.isConstructorDeclaration(node) || ts.isAccessor(node);
}

function className(node: ts.ClassDeclaration): string {
  return node.name?.text ?? 'default';
}

/** A computed name is kept as it is written, in brackets. */
function memberName(name: ts.PropertyName): string {
  return ts.isStringLiteral(name) || ts.isNoSubstitutionTemplateLiteral(name) ? name.text : name.getText();
}
