package conformance

import (
	"context"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
)

type documentCase struct {
	Name          string   `bson:"name"`
	AggregateType string   `bson:"aggregateType"`
	Collection    string   `bson:"collection"`
	Document      bson.Raw `bson:"document"`
	Refused       string   `bson:"refused"`
	At            string   `bson:"at"`
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	aggregate := outgraph.Graph
	for _, given := range readCases[documentCase](t, "documents") {
		t.Run(given.Name, func(t *testing.T) {
			if aggregate.Type != given.AggregateType || aggregate.Collection != given.Collection {
				t.Fatalf("there is no aggregate type %s in %s", given.AggregateType, given.Collection)
			}
			defer empty(t, db, given.Collection, outgraph.OutboxCollection)
			insert := func(ctx context.Context) error {
				_, err := outgraph.Track(db, aggregate).InsertOne(ctx, given.Document)
				return err
			}
			expectOutcome(t, insert(t.Context()), given.Refused, given.At)
			if given.Refused != "" {
				expectNoCommit(t, db.Client(), insert)
				expectCounts(t, db, 0, given.Collection, outgraph.OutboxCollection)
				return
			}
			expectCounts(t, db, 1, given.Collection, outgraph.OutboxCollection)
			want := testdb.Text(t, given.Document)
			if stored := testdb.Text(t, testdb.All(t, db, given.Collection, "_id")[0]); stored != want {
				t.Errorf("the document is %s, not %s", stored, want)
			}
			event := testdb.All(t, db, outgraph.OutboxCollection, "position")[0]
			if payload := testdb.Text(t, event.Lookup("payload")); payload != want {
				t.Errorf("the payload is %s, not %s", payload, want)
			}
			id, err := outgraph.DocumentID(given.Document)
			if err != nil || event.Lookup("aggregateId").StringValue() != id ||
				event.Lookup("aggregateType").StringValue() != given.AggregateType ||
				event.Lookup("operation").StringValue() != "upsert" {
				t.Errorf("%v: the event is %s", err, event)
			}
		})
	}
}
