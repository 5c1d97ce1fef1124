/**
 * The Atlas Trigger as it is created (`infra/atlas/trigger.json`), and the equivalent change
 * stream.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Document } from 'bson';
import { projectRoot } from '../../tools/local/paths.ts';

/** The folder with everything that creates the trigger. */
export const atlasFolder = path.join(projectRoot, 'infra/atlas');

/** The request for the App Services Admin API, except for the names in a project. */
export interface AtlasTrigger {
  readonly config: Readonly<Record<string, unknown>> & {
    readonly collection: string;
    readonly operation_types: readonly string[];
    readonly match: Document;
    readonly project: Document;
  };
  readonly event_processors: { readonly AWS_EVENTBRIDGE: { readonly config: Readonly<Record<string, unknown>> } };
}

export const atlasTrigger = JSON.parse(readFileSync(path.join(atlasFolder, 'trigger.json'), 'utf8')) as AtlasTrigger;

/**
 * The stages of the trigger's change stream: its operation types, its match expression, its
 * projection.
 *
 * https://www.mongodb.com/docs/atlas/atlas-ui/triggers/database-triggers/#configuration
 */
export function triggerPipeline({ config }: AtlasTrigger): Document[] {
  const operationTypes = config.operation_types.map((type) => type.toLowerCase());
  return [
    { $match: { operationType: { $in: operationTypes } } },
    { $match: config.match },
    { $project: config.project },
  ];
}
