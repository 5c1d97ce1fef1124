package conformance

import (
	"context"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

type sessionCase struct {
	Name    string `bson:"name"`
	Session string `bson:"session"`
	Refused string `bson:"refused"`
}

func TestSessions(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	record := func(ctx context.Context) error {
		return outgraph.RecordEvent(ctx, db, outgraph.Aggregate{Type: "note"}, outgraph.Delete("a"))
	}
	for _, given := range readCases[sessionCase](t, "sessions") {
		t.Run(given.Name, func(t *testing.T) {
			defer empty(t, db, outgraph.OutboxCollection)
			ctx := t.Context()
			var err error
			switch given.Session {
			case "none":
				err = record(ctx)
			case "idle":
				err = db.Client().UseSession(ctx, record)
			case "transaction":
				err = inTransaction(ctx, db.Client(), record)
			case "w1":
				err = db.Client().UseSession(ctx, func(ctx context.Context) error {
					w1 := options.Transaction().SetWriteConcern(writeconcern.W1())
					work := func(ctx context.Context) (any, error) { return nil, record(ctx) }
					_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, work, w1)
					return err
				})
			default:
				t.Fatalf("there is no session %s", given.Session)
			}
			expectOutcome(t, err, given.Refused, "")
			recorded := 1
			if given.Refused != "" {
				recorded = 0
			}
			expectCounts(t, db, recorded, outgraph.OutboxCollection)
		})
	}
}
