package outgraph_test

import (
	"context"
	"errors"
	"os"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

func clientOptions(t *testing.T) *options.ClientOptions {
	t.Helper()
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		t.Fatal("set MONGODB_URI to a replica set")
	}
	return options.Client().ApplyURI(uri)
}

func TestSeveralVerbsJoinOneTransaction(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	fail := errors.New("the writer aborts")
	write := func(ctx context.Context) error {
		if _, err := notes.InsertOne(ctx, byID("a")); err != nil {
			return err
		}
		if err := outgraph.RecordEvent(ctx, db, note, outgraph.Upsert("b", byID("b"))); err != nil {
			return err
		}
		return fail
	}
	if err := outgraph.InTransaction(t.Context(), db.Client(), write); !errors.Is(err, fail) {
		t.Fatal(err)
	}
	expectEvents(t, db)
	fail = nil
	if err := outgraph.InTransaction(t.Context(), db.Client(), write); err != nil {
		t.Fatal(err)
	}
	expectEvents(t, db, "upsert a", "upsert b")
}

func TestASessionWithoutATransactionGetsOne(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	err := db.Client().UseSession(t.Context(), func(ctx context.Context) error {
		_, err := outgraph.Track(db, note).InsertOne(ctx, byID("a"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	expectEvents(t, db, "upsert a")
}

func TestATransactionOfTheLibrarysOwnIsSafeWhateverTheClientsDefaultsAre(t *testing.T) {
	t.Parallel()
	weak := clientOptions(t).SetWriteConcern(writeconcern.W1()).SetReadPreference(readpref.SecondaryPreferred())
	db := testdb.Connect(t, weak)
	upsert := options.UpdateOne().SetUpsert(true)
	if _, err := outgraph.Track(db, note).UpdateOne(t.Context(), byID("a"), set("n", 1), upsert); err != nil {
		t.Fatal(err)
	}
	err := db.Client().UseSession(t.Context(), func(ctx context.Context) error {
		primary := options.Transaction().SetReadPreference(readpref.Primary())
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			return nil, outgraph.RecordEvent(ctx, db, note, outgraph.Delete("a"))
		}, primary)
		return err
	})
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeWriteConcern}) {
		t.Errorf("a transaction with the client's write concern 1: %v", err)
	}
	// Read from the primary.
	expectEvents(t, testdb.New(t).Client().Database(db.Name()), "upsert a")
}

func TestATransactionThatMeetsAConflictIsRunAgain(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, bson.D{{Key: "_id", Value: "a"}, {Key: "by", Value: "none"}})
	notes := outgraph.Track(db, note)
	attempts := 0
	session, err := db.Client().StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(t.Context())
	// The driver's own WithTransaction: it must find the label in the error that the library has wrapped.
	_, err = session.WithTransaction(t.Context(), func(ctx context.Context) (any, error) {
		attempts++
		if err := notes.FindOne(ctx, byID("a")).Err(); err != nil {
			return nil, err
		}
		if attempts == 1 {
			if _, err := notes.UpdateOne(t.Context(), byID("a"), set("by", "other")); err != nil {
				t.Fatal(err)
			}
		}
		_, err := notes.UpdateOne(ctx, byID("a"), set("by", "us"))
		return nil, err
	})
	if err != nil || attempts != 2 {
		t.Fatalf("%d attempts: %v", attempts, err)
	}
	recorded := testdb.All(t, db, outgraph.OutboxCollection, "position")
	by := func(event bson.Raw) string { return event.Lookup("payload", "by").StringValue() }
	if len(recorded) != 2 || by(recorded[0]) != "other" || by(recorded[1]) != "us" {
		t.Errorf("recorded: %v", recorded)
	}
}

func TestAnErrorOfTheDriverIsFoundBelowTheLibrarys(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, byID("a"))
	_, err := outgraph.Track(db, note).InsertOne(t.Context(), byID("a"))
	var server mongo.ServerError
	if !mongo.IsDuplicateKeyError(err) || !errors.As(err, &server) {
		t.Errorf("%v", err)
	}
	expectEvents(t, db)
}

func TestACancelledContextLeavesNeitherDocumentNorEvent(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	// The context ends after the document was written, and just before its event is.
	monitor := &event.CommandMonitor{Started: func(_ context.Context, started *event.CommandStartedEvent) {
		if collection, _ := started.Command.Lookup("insert").StringValueOK(); collection == outgraph.OutboxCollection {
			cancel()
		}
	}}
	db := testdb.Connect(t, clientOptions(t).SetMonitor(monitor))
	seed(t, db, bson.D{{Key: "_id", Value: "a"}, {Key: "n", Value: 1}})
	_, err := outgraph.Track(db, note).UpdateOne(ctx, byID("a"), set("n", 2))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	want := `{"value":[{"_id":"a","n":{"$numberInt":"1"}}]}`
	if got := testdb.Text(t, testdb.All(t, db, "notes", "_id")); got != want {
		t.Errorf("notes contains %s", got)
	}
	expectEvents(t, db)
}
