package outgraph

import (
	"context"
	"strings"
)

type traceparentKey struct{}

// WithTraceparent gives the events that are recorded with the returned context a W3C trace context, so that their
// application to the graph continues the writer's trace. A malformed one counts as none: it often comes from a
// request's header, and must not end the writer's transaction.
func WithTraceparent(ctx context.Context, traceparent string) context.Context {
	return context.WithValue(ctx, traceparentKey{}, traceparent)
}

// traceparentOf is the trace context for events of the aggregate; empty if there is none.
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

// isTraceparent follows https://www.w3.org/TR/trace-context/#traceparent-header. Later versions may add fields behind
// the four of this one.
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
