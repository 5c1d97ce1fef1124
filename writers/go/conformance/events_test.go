package conformance

import (
	"context"
	"maps"
	"testing"
	"time"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type eventCase struct {
	Name   string `bson:"name"`
	Change struct {
		AggregateType string             `bson:"aggregateType"`
		Operation     outgraph.Operation `bson:"operation"`
		AggregateID   string             `bson:"aggregateId"`
		Payload       *bson.RawValue     `bson:"payload"`
	} `bson:"change"`
	Traceparent *string                  `bson:"traceparent"`
	Refused     string                   `bson:"refused"`
	At          string                   `bson:"at"`
	Event       map[string]bson.RawValue `bson:"event"`
}

func TestEvents(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	const notes = "conformance_notes"
	for _, given := range readCases[eventCase](t, "events") {
		t.Run(given.Name, func(t *testing.T) {
			defer empty(t, db, notes, outgraph.OutboxCollection)
			ctx := t.Context()
			if given.Traceparent != nil {
				ctx = outgraph.WithTraceparent(ctx, *given.Traceparent)
			}
			change := outgraph.Change{Operation: given.Change.Operation, AggregateID: given.Change.AggregateID}
			if given.Change.Payload != nil {
				change.Payload = *given.Change.Payload
				if document, ok := given.Change.Payload.DocumentOK(); ok {
					change.Payload = document
				}
			}
			record := func(ctx context.Context) error {
				if _, err := db.Collection(notes).InsertOne(ctx, bson.D{{Key: "_id", Value: "document"}}); err != nil {
					return err
				}
				return outgraph.RecordEvent(ctx, db, outgraph.Aggregate{Type: given.Change.AggregateType}, change)
			}
			expectOutcome(t, inTransaction(ctx, db.Client(), record), given.Refused, given.At)
			if given.Refused != "" {
				expectNoCommit(t, db.Client(), record)
				expectCounts(t, db, 0, notes, outgraph.OutboxCollection)
				return
			}
			expectCounts(t, db, 1, notes, outgraph.OutboxCollection)
			expectPending(t, testdb.All(t, db, outgraph.OutboxCollection, "position")[0], given)
		})
	}
}

// expectPending compares an event with exactly the fields of a pending event.
func expectPending(t *testing.T, event bson.Raw, given eventCase) {
	t.Helper()
	var fields map[string]any
	if err := bson.Unmarshal(event, &fields); err != nil {
		t.Fatal(err)
	}
	if event.Lookup("_id").Type != bson.TypeObjectID {
		t.Errorf("_id is %s", event.Lookup("_id"))
	}
	if seconds, _, ok := event.Lookup("position").TimestampOK(); !ok || seconds == 0 {
		t.Errorf("the server has not filled in the position: %s", event.Lookup("position"))
	}
	if created, ok := event.Lookup("createdAt").TimeOK(); !ok || time.Since(created).Abs() > time.Minute {
		t.Errorf("createdAt is %s", event.Lookup("createdAt"))
	}
	wanted := map[string]any{
		"aggregateType": given.Change.AggregateType,
		"aggregateId":   given.Change.AggregateID,
		"operation":     string(given.Change.Operation),
		"status":        "pending",
		"attempts":      int32(0),
	}
	if given.Change.Payload != nil {
		wanted["payload"] = *given.Change.Payload
	}
	for name, value := range given.Event {
		wanted[name] = value
	}
	for name := range maps.Keys(wanted) {
		if got, want := testdb.Text(t, event.Lookup(name)), testdb.Text(t, wanted[name]); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
	if len(fields) != len(wanted)+len([]string{"_id", "position", "createdAt"}) {
		t.Errorf("the event has other fields: %s", event)
	}
}
