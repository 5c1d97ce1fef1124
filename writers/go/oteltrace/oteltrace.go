// Package oteltrace takes the trace context of events from the active OpenTelemetry span. Only who imports it depends
// on OpenTelemetry, and then on its API alone.
package oteltrace

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Traceparent is the W3C trace context of the span in ctx, empty if there is none: for the Traceparent of an
// outgraph.Aggregate.
func Traceparent(ctx context.Context) string {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return ""
	}
	return "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String()
}
