/**
 * Merges members that a scan lists more than once in a file into one element of the graph,
 * independent of the order of the list. Examples are a getter and its setter, the overloads of a
 * method, a call that occurs in several places, or a module that is imported twice. The rules are
 * in ../README.md.
 */
import { Double } from 'bson';
import type { StoredNumber } from '../../exports/outgraph.ts';

/** The position of a declaration, in lines. */
interface Declared {
  readonly start_line?: StoredNumber | null | undefined;
  readonly end_line?: StoredNumber | null | undefined;
}

interface Counted {
  readonly call_count?: StoredNumber | null | undefined;
  readonly is_direct?: boolean | null | undefined;
}

/**
 * Groups members by their name, in the order of the names. The order of the list does not matter.
 */
export function groupByName<Member>(
  members: readonly Member[],
  nameOf: (member: Member) => string,
): readonly (readonly [Member, ...Member[]])[] {
  // Writers may run on Node 20, which has no `Map.groupBy`.
  const groups = new Map<string, [Member, ...Member[]]>();
  for (const member of members) {
    const name = nameOf(member);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [member]);
    else group.push(member);
  }
  return [...groups].sort(([left], [right]) => compare(left, right)).map(([, group]) => group);
}

/**
 * Returns the first declaration in the file: by `start_line`, then by `end_line`. A declaration
 * without a line comes last. If the lines are equal, the text decides.
 */
export function firstDeclaration<Declaration extends Declared>(
  declarations: readonly [Declaration, ...Declaration[]],
): Declaration {
  return declarations.reduce((first, other) => (compareDeclarations(other, first) < 0 ? other : first));
}

/**
 * Merges the calls of one symbol by one other. It adds up their counts; a call without a count adds
 * nothing. The result is direct if one of the calls is.
 */
export function mergeCalls(calls: readonly [Counted, ...Counted[]]): Counted {
  const direct = calls.flatMap(({ is_direct }) => is_direct ?? []);
  return {
    call_count: addUp(calls.flatMap(({ call_count }) => call_count ?? [])),
    is_direct: direct.length === 0 ? null : direct.includes(true),
  };
}

/** The first text in the order of code units. Null if there is none. */
export function firstText(texts: readonly (string | null | undefined)[]): string | null {
  return texts.flatMap((text) => text ?? []).sort(compare)[0] ?? null;
}

/**
 * Compares texts by code units, which is the same everywhere, unlike the order of a language. It
 * does not compare numbers by `left - right`, which is not a number if both are infinite.
 */
function compare<Value extends string | number>(left: Value, right: Value): number {
  return left < right ? -1 : Number(left > right);
}

function compareDeclarations(left: Declared, right: Declared): number {
  return (
    compare(lineOf(left.start_line), lineOf(right.start_line)) ||
    compare(lineOf(left.end_line), lineOf(right.end_line)) ||
    compare(textOf(left), textOf(right))
  );
}

function lineOf(line: StoredNumber | null | undefined): number {
  const value = Number(line?.toString() ?? Number.POSITIVE_INFINITY);
  return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
}

/** Every field with its type, independent of their order. */
function textOf(fields: object): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return JSON.stringify(
    entries
      .map(([name, value]) => [name, typeOf(value), String(value)])
      .sort(([left = ''], [right = '']) => compare(left, right)),
  );
}

/**
 * A single number keeps its stored type. The sum of integers is an exact integer. With a double
 * among them, the sum is a double, added up from the smallest.
 */
function addUp(numbers: readonly StoredNumber[]): StoredNumber | null {
  const [only] = numbers;
  if (only === undefined || numbers.length === 1) return only ?? null;
  const integers = numbers.flatMap((number) => toInteger(number) ?? []);
  if (integers.length === numbers.length) return integers.reduce((sum, number) => sum + number);
  const doubles = numbers.map((number) => Number(number.toString())).sort(compare);
  return new Double(doubles.reduce((sum, number) => sum + number));
}

function toInteger(number: StoredNumber): bigint | undefined {
  if (typeof number === 'bigint') return number;
  const isInteger = typeof number === 'number' ? Number.isSafeInteger(number) : typeOf(number) !== 'Double';
  return isInteger ? BigInt(number.toString()) : undefined;
}

/** The BSON class of a stored number, or the JavaScript type of the value. */
function typeOf(value: unknown): string {
  return (value as { readonly _bsontype?: string })._bsontype ?? typeof value;
}
