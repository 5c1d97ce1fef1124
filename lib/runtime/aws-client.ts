/** What all clients of AWS have in common. */

/**
 * Time-outs of each attempt of a call, in milliseconds. By default there are none, and a call on a
 * connection that was dropped without a notice would wait for minutes.
 *
 * @example
 * new SQSClient({ maxAttempts: 4, ...awsTimeouts() });
 */
export function awsTimeouts({ connectMillis = 3_000, requestMillis = 3_000 } = {}) {
  return {
    requestHandler: {
      connectionTimeout: connectMillis,
      requestTimeout: requestMillis,
      // Without this option, the time-out above is only logged.
      throwOnRequestTimeout: true,
      // The time-out above ends with the first byte of the response, this one with the last.
      socketTimeout: requestMillis,
    },
  };
}
