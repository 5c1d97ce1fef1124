/** One aggregate as text: from the document to the graph, the differences last. */
import { readNodeIdentity, relationshipName } from '../../lib/contract/identity.ts';
import { positionTime } from '../../lib/contract/position.ts';
import { escapeUnprintable } from '../../lib/contract/printable.ts';
import { durationText } from '../terminal/duration-text.ts';
import { table } from '../terminal/table.ts';
import type { AggregateView, EventView, NodeView, SubgraphView } from './aggregate-view.ts';
import { elementText, nodeText, propertiesText, relationshipText } from './element-text.ts';

/** A section shows at most this many elements; `--json` prints all of them. */
const shownElements = 50;
const shownEvents = 20;
/** Longer values are cut: summaries and embeddings are long. */
const shownCharacters = 100;

export function showText(view: AggregateView): string {
  const isSame = view.differences.length === 0 && view.expected !== null;
  const graph = isSame ? 'In the graph, equal to the document' : 'In the graph';
  const sections: readonly (readonly [string, string])[] = [
    ['Document', documentText(view)],
    ...(isSame ? [] : [['Projected document', expectedText(view)] as const]),
    ['Events', eventsText(view.events)],
    ['Registry', registryText(view)],
    [graph, subgraphText(view.standing)],
    ['Differences', differencesText(view)],
  ];
  const blocks = sections.map(([title, text]) => `${title}\n${indent(text)}`);
  const name = escapeUnprintable(`${view.aggregateType} ${view.aggregateId}`);
  return [name, ...blocks, verdictText(view)].join('\n\n');
}

/** The last line: does the graph match the document? */
export function verdictText({ search, differences, isInFlight, document }: AggregateView): string {
  const soon = isInFlight ? ' An event is pending: run it again in a moment.' : '';
  if (search === 'not-found')
    return `No likely document was found. Run it without --no-walk to know whether the graph is right.${soon}`;
  if (differences.length > 0) return `The graph does not match the document.${soon}`;
  if (document === null) return `There is no document, and the graph has nothing of it.${soon}`;
  return `The graph matches the document.${soon}`;
}

function documentText({ document, search }: AggregateView): string {
  if (document !== null) return JSON.stringify(document, null, 2).split('\n').map(escapeUnprintable).join('\n');
  return search === 'absent' ? 'There is none.' : 'No likely document was found.';
}

function expectedText({ expected, fault }: AggregateView): string {
  if (expected !== null) return subgraphText(expected);
  if (fault === null) return 'There is none.';
  const trace =
    fault.trace === undefined ? '' : `\n${indent(fault.trace.split('\n').map(escapeUnprintable).join('\n'))}`;
  return `It can never be applied: ${fault.reason} (${fault.code})${trace}`;
}

function eventsText(events: readonly EventView[]): string {
  if (events.length === 0) return 'None in the outbox.';
  const rows = events
    .slice(0, shownEvents)
    .map((event) => [event.position, timeText(event.createdAt), event.operation, event.status, outcomeText(event)]);
  return [table(['position', 'written', 'operation', 'status', ''], rows), ...more(events.length, shownEvents)].join(
    '\n',
  );
}

function outcomeText({ processedAt, createdAt, error, deadAt, attempts }: EventView): string {
  const tried = attempts === 0 ? '' : `published again ${attempts === 1 ? 'once' : `${attempts} times`}`;
  if (processedAt !== null) return `settled after ${durationText(processedAt.getTime() - createdAt.getTime())}`;
  if (error === null || deadAt === null) return tried;
  return escapeUnprintable(`${error.code}: ${error.message} (${timeText(deadAt)})`);
}

function registryText({ registry }: AggregateView): string {
  if (registry === null) return 'The graph does not know the aggregate.';
  const { position, deleted, elements } = registry;
  const written = `position ${position}, written ${timeText(positionTime(position))}`;
  return `${written}; ${deleted ? 'deleted' : count(elements, 'element')}`;
}

function subgraphText({ nodes, relationships }: SubgraphView): string {
  if (nodes.length === 0 && relationships.length === 0) return 'Nothing.';
  const lines = nodes.map((node) => `${node.hold.padEnd(6)}  ${nodeText(node.identity)}${others(node)}`);
  const between = relationships.map(({ type, from, to, properties }) => {
    const inner = Object.keys(properties).length === 0 ? '' : propertiesText(properties, shownCharacters);
    return relationshipText(type, nodeText(from), nodeText(to), inner);
  });
  return [
    ...lines.slice(0, shownElements),
    ...more(lines.length, shownElements),
    ...between.slice(0, shownElements),
    ...more(between.length, shownElements),
  ].join('\n');
}

/** The node's other labels and properties. */
function others({ identity, labels, properties }: NodeView): string {
  const { label, key } = identity.startsWith('[') ? readNodeIdentity(identity) : { label: null, key: {} };
  const more = labels.filter((one) => one !== label).map((one) => ` :${escapeUnprintable(one)}`);
  const rest = Object.entries(properties).filter(([name]) => !(name in key));
  return `${more.join('')}${rest.length === 0 ? '' : ` ${propertiesText(Object.fromEntries(rest), shownCharacters)}`}`;
}

function differencesText({ differences, expected, standing }: AggregateView): string {
  if (differences.length === 0) return 'None.';
  const names = new Map(
    [standing, expected].flatMap((picture) => (picture === null ? [] : relationshipNames(picture))),
  );
  const lines = differences.map((difference) => {
    const name = names.get(difference.element ?? '') ?? elementText(difference);
    return [difference.kind.padEnd(7), ...(name === null ? [] : [name]), escapeUnprintable(difference.reason)].join(
      '  ',
    );
  });
  return [...lines.slice(0, shownElements), ...more(lines.length, shownElements)].join('\n');
}

/** Keyed by the names that differences use. */
function relationshipNames({ relationships }: SubgraphView): readonly (readonly [string, string])[] {
  return relationships.map(({ type, id, from, to }) => [
    relationshipName(type, id),
    relationshipText(type, nodeText(from), nodeText(to)),
  ]);
}

function more(all: number, shown: number): readonly string[] {
  return all > shown ? [`… and ${(all - shown).toLocaleString('en-US')} more: --json has all`] : [];
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

function timeText(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function count(number: number, what: string): string {
  return `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
}
