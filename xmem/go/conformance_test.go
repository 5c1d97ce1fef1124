package xmem_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	outgraph "outgraph.example/writers/go"
	xmem "outgraph.example/xmem/go"
	"outgraph.example/xmem/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// documentCase is a case of xmem/conformance/documents.json. test/conformance/README.md defines it.
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
	known := make(map[string]outgraph.Aggregate)
	for _, each := range []outgraph.Aggregate{xmem.User, xmem.Event, xmem.Repository, xmem.File, xmem.Annotation} {
		known[each.Type] = each
	}
	var table struct {
		Cases []documentCase `bson:"cases"`
	}
	testdb.ReadJSON(t, "xmem/conformance/documents.json", &table)
	if len(table.Cases) == 0 {
		t.Fatal("the table contains no case")
	}
	for _, given := range table.Cases {
		t.Run(given.Name, func(t *testing.T) {
			aggregate, ok := known[given.AggregateType]
			if !ok || aggregate.Collection != given.Collection {
				t.Fatalf("there is no aggregate type %s in %s", given.AggregateType, given.Collection)
			}
			defer empty(t, db, given.Collection, outgraph.OutboxCollection)
			insert := func(ctx context.Context) error {
				_, err := outgraph.Track(db, aggregate).InsertOne(ctx, given.Document)
				return err
			}
			err := insert(t.Context())
			if given.Refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				expectRecorded(t, db, given)
				return
			}
			refusal := &outgraph.Fault{Code: outgraph.Code(given.Refused)}
			if !errors.Is(err, refusal) || !strings.Contains(err.Error(), given.At) {
				t.Fatalf("%v is not the fault %s with the path %s", err, given.Refused, given.At)
			}
			expectNoCommit(t, db.Client(), insert)
			for _, collection := range []string{given.Collection, outgraph.OutboxCollection} {
				if stored := testdb.All(t, db, collection, "_id"); len(stored) > 0 {
					t.Errorf("%s contains %s", collection, stored)
				}
			}
		})
	}
}

// expectRecorded compares the only document and the only event with the case, including every BSON type.
func expectRecorded(t *testing.T, db *mongo.Database, given documentCase) {
	t.Helper()
	documents := testdb.All(t, db, given.Collection, "_id")
	recorded := testdb.All(t, db, outgraph.OutboxCollection, "position")
	if len(documents) != 1 || len(recorded) != 1 {
		t.Fatalf("there are %d documents and %d events", len(documents), len(recorded))
	}
	want, event := testdb.Text(t, given.Document), recorded[0]
	if stored := testdb.Text(t, documents[0]); stored != want {
		t.Errorf("the document is %s, not %s", stored, want)
	}
	if payload := testdb.Text(t, event.Lookup("payload")); payload != want {
		t.Errorf("the payload is %s, not %s", payload, want)
	}
	id, err := outgraph.DocumentID(given.Document)
	if err != nil || event.Lookup("aggregateId").StringValue() != id ||
		event.Lookup("aggregateType").StringValue() != given.AggregateType ||
		event.Lookup("operation").StringValue() != "upsert" {
		t.Errorf("%v: the event is %s", err, event)
	}
}

// expectNoCommit ignores the error of the work and commits: the commit must be refused.
func expectNoCommit(t *testing.T, client *mongo.Client, work func(ctx context.Context) error) {
	t.Helper()
	session, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(t.Context())
	if err := session.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	ctx := mongo.NewSessionContext(t.Context(), session)
	if err := work(ctx); err == nil {
		t.Error("the write was not refused")
	}
	if err := session.CommitTransaction(ctx); err == nil {
		t.Error("the transaction was committed")
	}
}

// empty deletes all documents of the collections, for the next case.
func empty(t *testing.T, db *mongo.Database, collections ...string) {
	t.Helper()
	for _, name := range collections {
		if _, err := db.Collection(name).DeleteMany(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		}
	}
}
