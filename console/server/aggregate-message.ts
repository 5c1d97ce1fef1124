/** From what is known of an aggregate to what the page shows of it. Pure. */
import type { AggregateView } from '../../cli/show/aggregate-view.ts';
import { elementText } from '../../cli/show/element-text.ts';
import type { AggregateMessage } from '../messages.ts';
import { compareViews } from './compare-views.ts';
import { drawPicture } from './draw-picture.ts';

export function toAggregateMessage(view: AggregateView): AggregateMessage {
  const compared = compareViews(view);
  const names = new Map([...compared.nodes, ...compared.relationships].map(({ id, name }) => [id, name]));
  const { aggregateType, aggregateId, search, document, fault, events, registry, isInFlight, differences } = view;
  return {
    aggregateType,
    aggregateId,
    search,
    document: document === null ? null : JSON.stringify(document, undefined, 2),
    fault,
    events,
    registry,
    isInFlight,
    // An element's name in words, where it is one that is shown.
    differences: differences.map((one) => ({ ...one, element: names.get(one.element ?? '') ?? elementText(one) })),
    picture: drawPicture(compared),
  };
}
