/**
 * The keys of the registry. An aggregate's key is `type:id`. In a graph that several outboxes feed,
 * each outbox has a source, and the key is `source/type:id`. What derives from a key carries the
 * source too: the owner of a node, and the id of an owned relationship. All keys of a source lie
 * next to each other in the registry's index.
 */
import { aggregateKey, splitAggregateKey } from './outbox-event.ts';

/** Letters, digits, `-`, `_` and `.`: neither `/` nor `:`, which separate the parts of a key. */
export const sourcePattern = /^[A-Za-z0-9._-]{1,64}$/;

const separator = '/';

/** Keys that are greater than `after`, and less than `end`. */
export interface KeyRange {
  readonly after: string;
  readonly end: string;
}

/** The aggregates of every source. No key of an aggregate begins with a character after `z`. */
export const wholeRegistry: KeyRange = { after: '', end: '{' };

/** The keys of one source, or of an outbox without a source. */
export class RegistryKeys {
  /** Empty: the outbox has the graph to itself. */
  readonly source: string;
  /** The key of the graph's binding to the outbox. The key of each aggregate begins with it. */
  readonly binding: string;
  /** The keys of the source's aggregates. */
  readonly range: KeyRange;

  constructor(source: string) {
    this.source = source;
    this.binding = source === '' ? '' : `${source}${separator}`;
    // `0` is the character after the separator.
    this.range = source === '' ? wholeRegistry : { after: this.binding, end: `${source}0` };
  }

  of(aggregate: { readonly aggregateType: string; readonly aggregateId: string }): string {
    return `${this.binding}${aggregateKey(aggregate)}`;
  }

  /** Splits a key of this source. */
  split(key: string): { readonly aggregateType: string; readonly aggregateId: string } {
    return splitAggregateKey(key.slice(this.binding.length));
  }

  /** Whether the key of an aggregate, or the id of an owned relationship, is of this source. */
  has(key: string): boolean {
    return sourceOf(key) === this.source;
  }

  /** The keys of a type's aggregates, after the one with this id. */
  rangeOf(aggregateType: string, after = ''): KeyRange {
    return { after: this.of({ aggregateType, aggregateId: after }), end: `${this.binding}${aggregateType};` };
  }
}

/** The keys of an outbox that has its graph to itself. */
export const withoutSource = new RegistryKeys('');

/**
 * The source in the key of an aggregate, or in the id of an owned relationship; empty without one.
 */
export function sourceOf(key: string): string {
  const at = key.indexOf(separator);
  const colon = key.indexOf(':');
  return at === -1 || (colon !== -1 && colon < at) ? '' : key.slice(0, at);
}

/** Puts the source of an aggregate's key before an id that derives from the key. */
export function withSourceOf(key: string, id: string): string {
  const source = sourceOf(key);
  return source === '' ? id : `${source}${separator}${id}`;
}
