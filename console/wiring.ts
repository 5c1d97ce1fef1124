/** Connects the console to the databases. */
import { type Databases, readOutboxTime } from '../cli/databases.ts';
import { hintFor } from '../cli/dead/code-hints.ts';
import { listDead } from '../cli/dead/read-dead.ts';
import { planRedrive, redrive } from '../cli/redrive/redrive.ts';
import { viewAggregate } from '../cli/show/view-aggregate.ts';
import { type QueueReader, readStatus } from '../cli/status/wiring.ts';
import { unlessSilent } from '../lib/graph/neo4j-unless-silent.ts';
import type { AggregateCatalog } from '../lib/projection/catalog.ts';
import { typesWithDocuments } from '../lib/projection/catalog.ts';
import type { GraphAddress } from '../lib/runtime/addresses.ts';
import { checkBinding } from '../lib/set-up/binding-wiring.ts';
import type { ConsolePorts } from './server/console-ports.ts';

export interface ConsoleScope extends Databases {
  readonly graph: GraphAddress;
  /** Null if the settings name no queue. */
  readonly queues: QueueReader | null;
  readonly catalog: AggregateCatalog;
  /** The sweep republishes events that are pending for longer. */
  readonly staleSeconds: number;
  /** Aborted when the console ends. A redrive then ends after its current chunk. */
  readonly signal: AbortSignal;
}

const listedEvents = 200;
const everything = { codes: [], aggregateTypes: [], eventIds: [] };
/** The default of the command. */
const redrivenPerSecond = 100;

export function consolePorts(scope: ConsoleScope): ConsolePorts {
  const { db, driver, database, keys, graph, queues, catalog, staleSeconds, signal } = scope;
  return {
    stage: `MongoDB ${db.databaseName} → Neo4j ${database}${keys.source === '' ? '' : `, source ${keys.source}`}`,
    aggregateTypes: typesWithDocuments(catalog).map(({ type }) => type),
    readStatus: () => readStatus({ db, queues }, { staleSeconds }),
    listDead: async () => {
      const [at, { groups, isCapped, events }] = await Promise.all([
        readOutboxTime(db),
        listDead(db, everything, listedEvents),
      ]);
      return { at, groups, isCapped, events: events.map((event) => ({ ...event, advice: adviceOn(event.code) })) };
    },
    planRedrive: (selection) => planRedrive(db, selection),
    redrive: (selection, { until }, progress) =>
      redrive(db, selection, until, { ratePerSecond: redrivenPerSecond, signal, progress }),
    viewAggregate: async (aggregateType, aggregateId) => {
      const definition = catalog.get(aggregateType);
      if (definition === undefined) return { outcome: 'type-unknown' };
      // Searching a large collection takes hours, so only the command does it.
      const options = { walk: false, signal, progress: () => undefined };
      return unlessSilent(graph, async () => {
        await checkBinding(db, driver, database, keys);
        return viewAggregate({ db, driver, database, keys }, definition, aggregateId, options);
      });
    },
  };
}

function adviceOn(code: string): string | null {
  const hint = hintFor(code);
  if (hint === null) return null;
  const text = `${hint.reason}: ${hint.remedy}.`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
