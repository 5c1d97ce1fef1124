/**
 * XMem's temporal memory: one dated event of a user becomes one relationship
 * `(:User)-[:HAS_EVENT]->(:Date)`. The document's id distinguishes the relationships, so several
 * events on one day, or with the same name, stay separate. A move of the date is one event of one
 * aggregate, so one transaction: a reader never sees it on no day or on two.
 */
import { Double } from 'bson';
import { z } from 'zod';
import { defineAggregate, documentId, storedNumber } from '../../exports/outgraph.ts';
import { nameText, optionalText } from './fields.ts';

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** One of the 366 days of a leap year, as "MM-DD". */
const calendarDay = z.string().refine(
  (text) => {
    const match = /^(\d\d)-(\d\d)$/.exec(text);
    if (match === null) return false;
    const day = Number(match[2]);
    return day >= 1 && day <= (daysInMonth[Number(match[1]) - 1] ?? 0);
  },
  { message: 'must be one of the 366 days "MM-DD", from "01-01" to "12-31"' },
);

const memoryEventState = z.object({
  user_id: nameText,
  date: calendarDay,
  event_name: optionalText,
  desc: optionalText,
  /** Writers send a number or a text. The graph has a text. */
  year: z.union([z.string(), storedNumber]).nullish(),
  time: optionalText,
  date_expression: optionalText,
  embedding: z.array(storedNumber).nullish(),
});

/**
 * A dated event of a user of the temporal memory.
 *
 * @example
 * await trackCollection(client, db, memoryEvent).insertOne({
 *   user_id: 'ada',
 *   date: '12-10',
 *   event_name: 'birthday',
 *   year: 1815,
 * });
 */
export const memoryEvent = defineAggregate({
  type: 'memory-event',
  collection: 'memory_events',
  id: documentId,
  payload: memoryEventState,
  declares: { labels: { User: ['user_id'], Date: ['date'] }, types: ['HAS_EVENT'] },
  project: (event, aggregateId) => ({
    nodes: [],
    relationships: [
      {
        type: 'HAS_EVENT',
        key: aggregateId,
        from: { label: 'User', key: { user_id: event.user_id } },
        to: { label: 'Date', key: { date: event.date } },
        properties: {
          event_id: aggregateId,
          event_name: event.event_name,
          desc: event.desc,
          year: event.year?.toString(),
          time: event.time,
          date_expression: event.date_expression,
          // An integral component among the others (1, 0.5) must not make the list mixed.
          embedding: event.embedding?.map((component) => new Double(Number(component.toString()))),
        },
      },
    ],
  }),
});
