/** Where OpenTelemetry's signals are sent. */

/** The settings of all signals. */
export interface OtlpSettings {
  readonly OTEL_EXPORTER_OTLP_ENDPOINT: string;
  readonly OTEL_SDK_DISABLED: boolean;
}

/**
 * Returns a signal's own endpoint unchanged, or the signal's path under the general endpoint. Null
 * if neither is set or OpenTelemetry is disabled.
 */
export function otlpUrl(settings: OtlpSettings, ownEndpoint: string, path: 'v1/traces' | 'v1/metrics'): string | null {
  if (settings.OTEL_SDK_DISABLED) return null;
  if (ownEndpoint !== '') return ownEndpoint;
  const endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint === '' ? null : `${endpoint.replace(/\/$/, '')}/${path}`;
}
