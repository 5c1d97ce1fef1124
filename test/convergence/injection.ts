/**
 * Attempts to execute data as code through every field that a writer controls: Cypher keywords,
 * MongoDB operators, names with a meaning in JavaScript, and characters that could fake a log line.
 * Every attempt carries a mark, so that any effect can be found.
 */
import { type Document, Double, Int32, ObjectId } from 'bson';
import fc from 'fast-check';
import { namePattern } from '../../lib/contract/subgraph.ts';
import { outboxEvent } from '../support/outbox-event.ts';

/** Names that are allowed for labels, types and properties, but have a meaning elsewhere. */
const usualNames = ['name', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then', 'toJSON'];
const cypherNames = ['length', 'id', 'MATCH', 'DELETE', 'null', 'row', 'n'];

/**
 * The attempts as texts. `mark` is a label that no node may ever get; `sentinel` is the label of a
 * node that must survive.
 */
function attempts(mark: string, sentinel: string): readonly string[] {
  const effect = `MATCH (s:${sentinel}) DETACH DELETE s CREATE (:${mark} {${mark}: 1})`;
  return [
    `x\`) ${effect} //`,
    `x\`}) WITH 1 AS one ${effect} //`,
    `x\\u0060) ${effect} //`,
    `x\u0060\u0060) ${effect} /*`,
    `'}) ${effect} //`,
    `"}) ${effect} //`,
    `\\'}) ${effect} //`,
    `} DETACH DELETE n // ${mark}`,
    `*/ ${effect} /*`,
    `$rows ${mark}`,
    `$x; ${effect};`,
    `row[0] ${mark}`,
    `\${${mark}}`,
    `:${mark}`,
    `A:${mark}`,
    `A|${mark}`,
    `A&${mark}`,
    `CALL apoc.cypher.runWrite("${effect}", {}) YIELD value`,
    `apoc.util.sleep(9) ${mark}`,
    `LOAD CSV FROM "file:///etc/passwd" AS ${mark} RETURN 1`,
    `_outgraphOwner ${mark}`,
    `$where: function() { return "${mark}" }`,
    `$ne.${mark}`,
    `payload.$[].${mark}`,
    `status.${mark}`,
    `__proto__ ${mark}`,
    `${mark}\n{"level":"INFO","message":"${mark}"}`,
    `\u001b[2J\u001b]0;${mark}\u0007`,
    `${mark}\u0000`,
    `\u202e${mark}\u2028`,
    `${mark}; rm -rf / #`,
  ];
}

/** The names that one run of the property uses. */
export interface Target {
  /** The suffix of every label and type that an event may write. */
  readonly suffix: string;
  readonly mark: string;
  readonly sentinel: string;
}

/** One event that a writer inserts, and the message that it puts into the queue. */
export interface Attempt {
  readonly event: Document & { readonly _id: ObjectId };
  /** The body of the message that points to the event. */
  readonly body: string;
}

/**
 * The labels of a run's keyed nodes, each with its one key property, because a label has only one
 * key.
 */
export function labelsOf({ suffix }: Target): ReadonlyMap<string, readonly string[]> {
  return new Map([...usualNames, ...cypherNames].slice(0, 6).map((name) => [`Try_${name}_${suffix}`, [name]]));
}

/** Random attempts. */
export function randomAttempt(target: Target): fc.Arbitrary<Attempt> {
  const attempt = fc.constantFrom(...attempts(target.mark, target.sentinel));
  const text = fc.oneof(
    { weight: 4, arbitrary: attempt },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map(wellFormed) },
    { weight: 1, arbitrary: fc.tuple(fc.string({ maxLength: 5 }), attempt).map(([before, after]) => before + after) },
  );
  // Texts that are not valid names. A valid one would rightly appear in the graph.
  const invalidName = text.filter((any) => !namePattern.test(any));
  const validName = fc.constantFrom(...usualNames, ...cypherNames);
  const name = often(validName, fc.oneof(text, fc.constantFrom('__proto__', '_id', '_bsontype', '$where', '')));
  const operator = fc.oneof(
    fc
      .constantFrom('$ne', '$gt', '$where', '$set', '$oid', 'a.b', '__proto__', 'constructor')
      .chain((key) => record(fc.constant(key), text)),
    fc.constantFrom('Int32', 'Long', 'Double', 'ObjectId', 'Binary', 'Timestamp', 'Code').map(pretender),
  );
  const scalar = fc.oneof(
    { weight: 4, arbitrary: text },
    fc.integer().map((value) => new Int32(value)),
    fc.double({ noNaN: true }).map((value) => new Double(value)),
    fc.boolean(),
  );
  const value = often(fc.oneof(scalar, fc.array(text, { maxLength: 3 }), fc.constant(null)), operator, 10);
  const properties = fc.array(fc.tuple(name, value), { maxLength: 3 }).map((entries) => new Map(entries));

  const labels = [...labelsOf(target)];
  // The unique number prevents two events from claiming the same node.
  const keyValue = fc.tuple(often(text, operator, 10), fc.nat()).map(([raw, number]) => {
    return typeof raw === 'string' ? `${raw} ${number} ${new ObjectId().toHexString()}` : raw;
  });
  const endpoint = often(
    fc
      .constantFrom(...labels)
      .chain(([label, [key = '']]) => keyValue.map((id) => ({ label, key: new Map([[key, id]]) }))),
    fc.tuple(invalidName, name, keyValue).map(([label, key, id]) => ({ label, key: new Map([[key, id]]) })),
  );
  const type = often(fc.constant(`TRY_${target.suffix}`), invalidName);
  const furtherLabels = fc.array(often(fc.constantFrom('Further', 'MATCH'), invalidName), { maxLength: 2 });
  const stray = often(fc.constant(null), fc.tuple(text, value), 60).map(
    (entry) => new Map(entry === null ? [] : [entry]),
  );
  const node = fc
    .record({ endpoint, labels: furtherLabels, properties, stray })
    .map(({ endpoint: { label, key }, labels: more, properties: ownProperties, stray: extra }) => {
      const kept = [...ownProperties].filter(([property]) => !key.has(property));
      return new Map<string, unknown>([
        ['label', label],
        ['key', key],
        ['labels', more],
        ['properties', new Map(kept)],
        ...extra,
      ]);
    });
  const relationship = fc
    .record({ type, from: endpoint, to: endpoint, key: fc.option(text), properties, stray })
    .map(({ from, to, stray: extra, ...fields }) => {
      const ends = [
        ['from', new Map(Object.entries(from))],
        ['to', new Map(Object.entries(to))],
      ] as const;
      return new Map<string, unknown>([...Object.entries(fields), ...ends, ...extra]);
    });
  const payload = fc
    .record({ nodes: fc.array(node, { maxLength: 2 }), relationships: fc.array(relationship, { maxLength: 2 }), stray })
    .map(({ stray: extra, ...lists }) => new Map<string, unknown>([...Object.entries(lists), ...extra]));

  return fc
    .record({
      // The only field here that the validator checks.
      aggregateType: often(fc.constant('graph'), text, 10),
      aggregateId: text.map((id) => `${id.slice(0, 150)} ${target.suffix} ${new ObjectId().toHexString()}`),
      payload: often(payload, operator, 20),
      traceparent: often(fc.constant(undefined), text, 20),
      pointed: fc.tuple(text, text).map((texts) => texts.map((one) => one || 'x')),
    })
    .map(({ pointed: [aggregateType, aggregateId], traceparent, ...fields }) => {
      const trace = traceparent === undefined ? {} : { traceparent };
      const event = outboxEvent({ operation: 'upsert', ...fields, ...trace });
      return { event, body: JSON.stringify({ eventId: event._id.toHexString(), aggregateType, aggregateId }) };
    });
}

/** Bodies of messages that name no event. */
export function randomBody({ mark, sentinel }: Target): fc.Arbitrary<string> {
  const text = fc.constantFrom(...attempts(mark, sentinel));
  const id = fc.oneof(
    text,
    fc.constantFrom({ $ne: null }, { $gt: '' }, { $oid: mark }, ['66a0c0ffee0123456789abcd'], 1, null),
  );
  return fc.oneof(
    text,
    id.map((eventId) => JSON.stringify({ eventId, aggregateType: 'graph', aggregateId: 'x' })),
    id.map((eventId) => JSON.stringify({ source: 'outgraph', detail: { eventId } })),
    id.map((_id) => JSON.stringify({ detail: { fullDocument: { _id } } })),
    fc.constant(`{"__proto__":{"eventId":"66a0c0ffee0123456789abcd"},"${mark}":1}`),
  );
}

/** Usually the first, so that a whole event is often valid; one time in `oneIn` the second. */
function often<Usual, Seldom>(usual: fc.Arbitrary<Usual>, seldom: fc.Arbitrary<Seldom>, oneIn = 40) {
  return fc.oneof({ weight: oneIn - 1, arbitrary: usual }, { weight: 1, arbitrary: seldom });
}

// Maps, because the driver gives some fields of plain objects a meaning: it drops `__proto__` and
// takes `_bsontype` for the type of a value.
const record = (key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>) =>
  fc.tuple(key, value).map((entry) => new Map([entry]));
const pretender = (mark: string) =>
  new Map<string, unknown>([
    ['_bsontype', mark],
    ['value', '1'],
    ['sub_type', 4],
    ['position', 16],
  ]);

function wellFormed(text: string): string {
  return text.toWellFormed();
}
