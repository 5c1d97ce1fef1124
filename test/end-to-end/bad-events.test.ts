/**
 * Bad events of every kind among good ones, through the deployed functions: the good ones are
 * applied, and each bad one is dead with its code.
 */
import { type Document, ObjectId } from 'mongodb';
import { afterAll, expect, it } from 'vitest';
import { waitUntil } from '../../tools/local/wait-until.ts';
import { crashTable, rowTitle } from '../failures/crash-table.ts';
import { badEvents, takenMail } from '../support/bad-events.ts';
import { insertRaw } from '../support/insert-raw.ts';
import { closeClients, db, graphEvent, outbox, query } from '../support/wait-for.ts';

afterAll(closeClients);

const label = `Bad${new ObjectId().toHexString().slice(-8)}`;

it(`${rowTitle(crashTable.badEvents)}: 2,000 good events and one of every bad kind`, {
  timeout: 600_000,
}, async () => {
  await query(`CREATE CONSTRAINT mail_${label} FOR (n:${label}) REQUIRE n.mail IS UNIQUE`);
  await query(`CREATE (:${label} {mail: $takenMail})`, { takenMail });
  const good = Array.from({ length: 2_000 }, (_, index) => {
    const id = `${label}-good-${index}`;
    return graphEvent(id, { nodes: [{ label, key: { id } }], relationships: [] });
  });
  // A violated constraint is retried for minutes, because the violation may be temporary.
  const bad = badEvents(label).filter(({ code }) => code !== 'constraint-violation');
  await outbox.insertMany(good.slice(0, 1_000));
  for (const { event, bypass = false } of bad)
    await insertRaw(db, 'outbox', [event], { bypassDocumentValidation: bypass });
  await outbox.insertMany(good.slice(1_000));

  const ids = [...good, ...bad.map(({ event }) => event)].map(({ _id }) => _id);
  const isOpen = { _id: { $in: ids }, status: { $nin: ['processed', 'dead'] } } as Document;
  await waitUntil(async () => (await outbox.countDocuments(isOpen)) === 0 || undefined, {
    timeoutSeconds: 500,
    pollMillis: 500,
    what: 'every event to be settled',
  });
  const found = await db
    .collection<Document>('outbox', { enableUtf8Validation: false })
    .find({ _id: { $in: ids } } as Document, { projection: { status: 1, 'error.code': 1 } })
    .toArray();
  const byId = new Map(found.map((event) => [String(event._id), event]));
  const outcomeOf = (event: Document) => {
    const { status, error }: Document = byId.get(String(event._id)) ?? {};
    return status === 'processed' ? null : (error?.code ?? status);
  };
  expect(bad.map(({ what, event }) => [what, outcomeOf(event)])).toStrictEqual(
    bad.map(({ what, code }) => [what, code]),
  );
  expect(good.filter((event) => outcomeOf(event) !== null)).toStrictEqual([]);
  const [row] = await query(`MATCH (n:${label}) WHERE n.id STARTS WITH $group RETURN count(n) AS nodes`, {
    group: `${label}-good-`,
  });
  expect(row).toStrictEqual({ nodes: 2_000n });
  // Other files of this run count dead events.
  await outbox.deleteMany({ _id: { $in: bad.map(({ event }) => event._id) } } as Document);
  await query(`DROP CONSTRAINT mail_${label}`);
});
