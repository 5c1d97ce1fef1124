package outgraph

import "context"

type unchangedKey struct{}

// WithUnchanged returns a context with which an update records an event for every document that it changes, even if no
// field of [Aggregate.Fields] changed.
//
//	_, err := people.UpdateMany(outgraph.WithUnchanged(ctx), bson.M{}, bson.M{"$set": bson.M{"seen": true}})
func WithUnchanged(ctx context.Context) context.Context {
	return context.WithValue(ctx, unchangedKey{}, true)
}

func recordsUnchanged(ctx context.Context) bool {
	return ctx.Value(unchangedKey{}) != nil
}
