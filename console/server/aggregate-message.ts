/** Converts the view of an aggregate to the page's message. Pure. */
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
    // Replace the id of a shown element with its readable name.
    differences: differences.map((one) => ({ ...one, element: names.get(one.element ?? '') ?? elementText(one) })),
    picture: drawPicture(compared),
  };
}
