package outgraph

import (
	"context"
	"sync"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type eventIDsKey struct{}

// eventIDs collects the ids of recorded events.
type eventIDs struct {
	mutex  sync.Mutex
	ids    *[]bson.ObjectID
	around *eventIDs
}

// WithEventIDs returns a context that appends the ids of the events recorded with it to ids, for [Settled]. It empties
// ids first.
//
//	var eventIDs []bson.ObjectID
//	_, err := people.InsertOne(outgraph.WithEventIDs(ctx, &eventIDs), bson.M{"_id": "ada", "name": "Ada"})
//
// A verb with a transaction of its own, and [InTransaction], append the ids after the commit. In a transaction of the
// driver's WithTransaction, call it in the transaction's function: the driver may run the function more than once, and
// only its last run is committed.
func WithEventIDs(ctx context.Context, ids *[]bson.ObjectID) context.Context {
	*ids = nil
	return context.WithValue(ctx, eventIDsKey{}, &eventIDs{ids: ids, around: eventIDsOf(ctx)})
}

// withOnlyEventIDs hides the collectors around it.
func withOnlyEventIDs(ctx context.Context, ids *[]bson.ObjectID) context.Context {
	return context.WithValue(ctx, eventIDsKey{}, &eventIDs{ids: ids})
}

func eventIDsOf(ctx context.Context) *eventIDs {
	collector, _ := ctx.Value(eventIDsKey{}).(*eventIDs)
	return collector
}

func (e *eventIDs) add(ids []bson.ObjectID) {
	for ; e != nil; e = e.around {
		e.mutex.Lock()
		*e.ids = append(*e.ids, ids...)
		e.mutex.Unlock()
	}
}
