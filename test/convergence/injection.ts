/**
 * Attempts to get from data into code: through every field that a writer controls, words of Cypher, operators of
 * MongoDB, names that mean something to JavaScript, and what could fake a line of a log. Every attempt carries a mark,
 * by which its effect would be found.
 */
import { type Document, Double, Int32, ObjectId } from 'bson';
import fc from 'fast-check';
import { namePattern } from '../../lib/contract/subgraph.ts';
import { outboxEvent } from '../support/outbox-event.ts';

/** Names of labels, types and properties that are allowed, and mean something elsewhere. */
const usualNames = ['name', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then', 'toJSON'];
const cypherNames = ['length', 'id', 'MATCH', 'DELETE', 'null', 'row', 'n'];

/** Texts that try; `mark` is a label that nothing may ever get, `sentinel` the label of a node that must stay. */
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

/** What the property needs to know of a run of its own. */
export interface Target {
  /** Ends every label and type that an event may write. */
  readonly suffix: string;
  readonly mark: string;
  readonly sentinel: string;
}

/** One thing that a writer inserts, and what it puts into the queue. */
export interface Attempt {
  readonly event: Document & { readonly _id: ObjectId };
  /** The body of the message that is to bring it. */
  readonly body: string;
}

/** The labels that keyed nodes of a run have, each with its one key property: a label is keyed in one way. */
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
  // What nobody may take for a name; else it would be one, and stand in the graph as it should.
  const noName = text.filter((any) => !namePattern.test(any));
  const goodName = fc.constantFrom(...usualNames, ...cypherNames);
  const name = often(goodName, fc.oneof(text, fc.constantFrom('__proto__', '_id', '_bsontype', '$where', '')));
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
  const value = often(fc.oneof(scalar, fc.array(text, { maxLength: 3 }), fc.constant(null)), operator);
  const properties = fc.array(fc.tuple(name, value), { maxLength: 3 }).map((entries) => new Map(entries));

  const labels = [...labelsOf(target)];
  // A number of its own keeps two events from claiming one node.
  const keyValue = fc.tuple(often(text, operator), fc.nat()).map(([raw, number]) => {
    return typeof raw === 'string' ? `${raw} ${number} ${new ObjectId().toHexString()}` : raw;
  });
  const endpoint = often(
    fc
      .constantFrom(...labels)
      .chain(([label, [key = '']]) => keyValue.map((id) => ({ label, key: new Map([[key, id]]) }))),
    fc.tuple(noName, name, keyValue).map(([label, key, id]) => ({ label, key: new Map([[key, id]]) })),
  );
  const type = often(fc.constant(`TRY_${target.suffix}`), noName);
  const furtherLabels = fc.array(often(fc.constantFrom('Further', 'MATCH'), noName), { maxLength: 2 });
  const stray = often(fc.constant(null), fc.tuple(text, value), 60).map(
    (entry) => new Map(entry === null ? [] : [entry]),
  );
  const node = fc
    .record({ endpoint, labels: furtherLabels, properties, stray })
    .map(({ endpoint: { label, key }, labels: more, properties: own, stray: extra }) => {
      const kept = [...own].filter(([property]) => !key.has(property));
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
      // The one field here that the validator refuses.
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

/** Mostly the one, so that a whole event is often good; one in so many times the other. */
function often<Usual, Seldom>(usual: fc.Arbitrary<Usual>, seldom: fc.Arbitrary<Seldom>, oneIn = 40) {
  return fc.oneof({ weight: oneIn - 1, arbitrary: usual }, { weight: 1, arbitrary: seldom });
}

// Maps, because the driver would take the fields of a plain object for its own: `__proto__` for none at all,
// `_bsontype` for a mark.
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
