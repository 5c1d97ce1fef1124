/** Recognises the update with which CloudFormation rolls a deployment back. */
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';

/**
 * True if the request puts back the properties of an earlier deployment. CloudFormation sends it as
 * an update from the failed deployment to the previous one. `Deployment` (infra/set-up.yml) is the
 * time of a deployment in milliseconds, so that a later deployment of older code is no rollback.
 *
 * The databases stay as they are: a set-up that ran again while a server is away would leave the
 * stack in UPDATE_ROLLBACK_FAILED.
 */
export function isRollback(event: CloudFormationCustomResourceEvent): boolean {
  if (event.RequestType !== 'Update') return false;
  // LocalStack's updates come without them. The set-up then runs.
  const before: typeof event.OldResourceProperties | undefined = event.OldResourceProperties;
  return Number(before?.Deployment) > Number(event.ResourceProperties.Deployment);
}
