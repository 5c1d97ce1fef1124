package outgraph

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"
)

// RecordEvent records one event, in the running transaction of the session in ctx (as [mongo.Session.WithTransaction]
// and [InTransaction] pass it on). Write the document first, then record its event, both with this context. After an
// error the transaction cannot be committed: return the error from it. db is the database of the document: its outbox
// is in the same one.
func RecordEvent(ctx context.Context, db *mongo.Database, aggregate Aggregate, change Change) error {
	return RecordEvents(ctx, db, aggregate, []Change{change})
}

// RecordEvents records events of several aggregates of one type, in the order given. See [RecordEvent].
func RecordEvents(ctx context.Context, db *mongo.Database, aggregate Aggregate, changes []Change) error {
	return abortOn(ctx, db.Client(), recordEvents(ctx, db, aggregate, changes))
}

func recordEvents(ctx context.Context, db *mongo.Database, aggregate Aggregate, changes []Change) error {
	if err := requireTransaction(ctx); err != nil {
		return err
	}
	if len(changes) == 0 {
		return nil
	}
	traceparent := traceparentOf(ctx, aggregate)
	events := make([]any, 0, len(changes))
	for _, change := range changes {
		event, err := newEvent(aggregate, change, traceparent)
		if err != nil {
			return err
		}
		events = append(events, event)
	}
	if _, err := db.Collection(OutboxCollection).InsertMany(ctx, events); err != nil {
		return fmt.Errorf("outgraph: recording events of %q: %w", aggregate.Type, err)
	}
	return nil
}
