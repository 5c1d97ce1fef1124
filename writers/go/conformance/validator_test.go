package conformance

import (
	"context"
	"slices"
	"testing"
	"time"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type validatorCase struct {
	Name    string   `bson:"name"`
	Set     bson.D   `bson:"set"`
	Unset   []string `bson:"unset"`
	Refused string   `bson:"refused"`
}

func TestValidator(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	const notes = "conformance_notes"
	for _, given := range readCases[validatorCase](t, "validator") {
		t.Run(given.Name, func(t *testing.T) {
			defer empty(t, db, notes, outgraph.OutboxCollection)
			event := bson.D{
				{Key: "_id", Value: bson.NewObjectID()},
				{Key: "aggregateType", Value: "note"},
				{Key: "aggregateId", Value: "a"},
				{Key: "operation", Value: "upsert"},
				{Key: "payload", Value: bson.D{}},
				{Key: "position", Value: bson.Timestamp{}},
				{Key: "createdAt", Value: time.Now()},
				{Key: "status", Value: "pending"},
				{Key: "attempts", Value: int32(0)},
			}
			for _, set := range given.Set {
				event = append(slices.DeleteFunc(event, func(field bson.E) bool { return field.Key == set.Key }), set)
			}
			event = slices.DeleteFunc(event, func(field bson.E) bool { return slices.Contains(given.Unset, field.Key) })
			err := inTransaction(t.Context(), db.Client(), func(ctx context.Context) error {
				if _, err := db.Collection(notes).InsertOne(ctx, bson.D{{Key: "_id", Value: "document"}}); err != nil {
					return err
				}
				_, err := db.Collection(outgraph.OutboxCollection).InsertOne(ctx, event)
				return err
			})
			expectOutcome(t, err, given.Refused, "")
			stored := 1
			if given.Refused != "" {
				stored = 0
			}
			expectCounts(t, db, stored, notes, outgraph.OutboxCollection)
		})
	}
}
