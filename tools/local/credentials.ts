/** The credentials of LocalStack. */

/** Credentials that LocalStack takes and AWS does not. */
export const localCredentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

/** The same, as the SDK takes them. */
export const sdkCredentials = {
  accessKeyId: localCredentials.AWS_ACCESS_KEY_ID,
  secretAccessKey: localCredentials.AWS_SECRET_ACCESS_KEY,
};
