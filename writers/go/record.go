package outgraph

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// RecordEvent records one event in the running transaction of the session in ctx, as [mongo.Session.WithTransaction]
// and [InTransaction] pass it. Write the document first, then record its event, both with this context. db is the
// database of the document: the outbox is in the same database.
//
//	err := outgraph.InTransaction(ctx, db.Client(), func(ctx context.Context) error {
//		if _, err := db.Collection("people").DeleteOne(ctx, bson.M{"_id": "bob"}); err != nil {
//			return err
//		}
//		return outgraph.RecordEvent(ctx, db, person, outgraph.Delete("bob"))
//	})
//
// It returns a [Fault] with [CodeNoTransaction], [CodeWriteConcern], [CodeEventInvalid] or the code of an invalid
// payload, or a wrapped error of the driver. After an error the transaction cannot be committed: return the error from
// the transaction. [WithEventIDs] gives the id of the event.
func RecordEvent(ctx context.Context, db *mongo.Database, aggregate Aggregate, change Change) error {
	return RecordEvents(ctx, db, aggregate, []Change{change})
}

// RecordEvents records events of several aggregates of one type, in the order given. Its errors are those of
// [RecordEvent].
//
//	err := outgraph.RecordEvents(ctx, db, person, []outgraph.Change{outgraph.Delete("ada"), outgraph.Delete("bob")})
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
	ids := make([]bson.ObjectID, 0, len(changes))
	for _, change := range changes {
		id := bson.NewObjectID()
		event, err := newEvent(id, aggregate, change, traceparent)
		if err != nil {
			return err
		}
		events = append(events, event)
		ids = append(ids, id)
	}
	if _, err := db.Collection(OutboxCollection).InsertMany(ctx, events); err != nil {
		return fmt.Errorf("outgraph: recording events of %q: %w", aggregate.Type, err)
	}
	eventIDsOf(ctx).add(ids)
	return nil
}
