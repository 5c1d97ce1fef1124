package outgraph

import (
	"context"
	"strings"
)

type traceparentKey struct{}

// WithTraceparent returns a context that gives a W3C trace context to the events recorded with it. Applying them to the
// graph then continues the writer's trace.
//
//	ctx = outgraph.WithTraceparent(ctx, request.Header.Get("traceparent"))
//
// A malformed trace context is ignored without an error: it often comes from the header of a request, and must not fail
// the writer's transaction.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceparentKey{}, traceparent)
}

// traceparentOf returns the trace context for events of the aggregate, or an empty text.
func traceparentOf(ctx context.Context, aggregate Aggregate) string {
	if given, ok := ctx.Value(traceparentKey{}).(string); ok && isTraceparent(given) {
		return given
	}
	if aggregate.Traceparent != nil {
		if active := aggregate.Traceparent(ctx); isTraceparent(active) {
			return active
		}
	}
	return ""
}

// isTraceparent follows https://www.w3.org/TR/trace-context/#traceparent-header. Later versions may append fields to
// the four of version 00.
func isTraceparent(text string) bool {
	if len(text) < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return false
	}
	version, trace, span, flags, rest := text[:2], text[3:35], text[36:52], text[53:55], text[55:]
	if !isHex(version) || version == "ff" || !isHex(flags) || !isID(trace) || !isID(span) {
		return false
	}
	return rest == "" || version != "00" && rest[0] == '-' && !strings.ContainsAny(rest, "\n\r\u2028\u2029")
}

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdef") == "" }

func isID(text string) bool { return isHex(text) && strings.Trim(text, "0") != "" }
