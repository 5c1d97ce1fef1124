/** Changes how the deployed functions pack pointers, as the params of `infra/params.yml` do with a deployment. */
import { maxPackPointers } from '../../lib/contract/pointer.ts';
import type { DeployedFunctions } from '../../test/support/deployed-functions.ts';

export interface PackSettings {
  readonly pointersPerEntry: number;
  readonly publisherLingerMillis: number;
  readonly batchSize: number;
  readonly batchWindowSeconds: number;
}

/** Those of the stage `local`, whose batching window is LocalStack's long poll. */
export const localPackSettings: PackSettings = {
  pointersPerEntry: maxPackPointers,
  publisherLingerMillis: 50,
  batchSize: 10,
  batchWindowSeconds: 20,
};

/** Resolves when the functions have the settings, and a publisher with them was started. */
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
