// Package oteltrace reads the trace context of events from the active OpenTelemetry span. Only programs that import it
// depend on OpenTelemetry, and only on its API.
package oteltrace

import (
	"context"

	"go.opentelemetry.io/otel/trace"
)

// Traceparent returns the W3C trace context of the span in ctx, or an empty text if there is none. Use it as the
// Traceparent of an outgraph.Aggregate:
//
//	person := outgraph.Aggregate{Type: "person", Collection: "people", Traceparent: oteltrace.Traceparent}
func Traceparent(ctx context.Context) string {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return ""
	}
	return "00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String()
}
