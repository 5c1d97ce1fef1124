/** The credentials of LocalStack. */

/** Credentials that LocalStack accepts and AWS does not. */
export const localCredentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' } as const;

/** The same credentials in the form of the SDK. */
export const sdkCredentials = {
  accessKeyId: localCredentials.AWS_ACCESS_KEY_ID,
  secretAccessKey: localCredentials.AWS_SECRET_ACCESS_KEY,
};
