/**
 * Changes how the deployed functions pack pointers, as a deployment does with the params of
 * `infra/params.yml`.
 */
import { maxPackPointers } from '../../lib/contract/pointer.ts';
import type { DeployedFunctions } from '../../test/support/deployed-functions.ts';

export interface PackSettings {
  readonly pointersPerEntry: number;
  readonly publisherLingerMillis: number;
  readonly batchSize: number;
  readonly batchWindowSeconds: number;
}

/** The settings of the stage `local`. Its batching window is LocalStack's long poll. */
export const localPackSettings: PackSettings = {
  pointersPerEntry: maxPackPointers,
  publisherLingerMillis: 50,
  batchSize: 10,
  batchWindowSeconds: 20,
};

/** Resolves when the functions have the settings and a publisher was started with them. */
export async function applyPackSettings(functions: DeployedFunctions, settings: PackSettings): Promise<void> {
  const { pointersPerEntry, publisherLingerMillis, batchSize, batchWindowSeconds } = settings;
  const environment = {
    POINTERS_PER_ENTRY: String(pointersPerEntry),
    PUBLISHER_LINGER_MILLIS: String(publisherLingerMillis),
  };
  await functions.configure('publisher', { environment });
  await functions.batchMessages('consumer', batchSize, batchWindowSeconds);
  await functions.start('publisher');
}
