package outgraph_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var note = outgraph.Aggregate{Type: "note", Collection: "notes"}

func byID(id any) bson.D { return bson.D{{Key: "_id", Value: id}} }

func set(field string, value any) bson.D {
	return bson.D{{Key: "$set", Value: bson.D{{Key: field, Value: value}}}}
}

// seed inserts documents past the library.
func seed(t *testing.T, db *mongo.Database, documents ...any) {
	t.Helper()
	if _, err := db.Collection(note.Collection).InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

// events are those of the outbox in the order of their positions: "upsert a", "delete b".
func events(t *testing.T, db *mongo.Database) []string {
	t.Helper()
	var read []string
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		read = append(read, event.Lookup("operation").StringValue()+" "+event.Lookup("aggregateId").StringValue())
	}
	return read
}

func expectEvents(t *testing.T, db *mongo.Database, wanted ...string) {
	t.Helper()
	if got := events(t, db); strings.Join(got, ", ") != strings.Join(wanted, ", ") {
		t.Errorf("the outbox holds %q, not %q", got, wanted)
	}
}

func TestMoreDocumentsThanOneChunkAreAllRecorded(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	const count = 1_203
	documents := make([]bson.D, 0, count)
	for index := range count {
		documents = append(documents, bson.D{{Key: "_id", Value: int32(index)}, {Key: "n", Value: int32(0)}})
	}
	if _, err := notes.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
	updated, err := notes.UpdateMany(t.Context(), bson.D{{Key: "n", Value: 0}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int32(1)}}}})
	if err != nil || updated.MatchedCount != count || updated.ModifiedCount != count {
		t.Fatalf("%v: %+v", err, updated)
	}
	deleted, err := notes.DeleteMany(t.Context(), bson.D{{Key: "n", Value: 1}})
	if err != nil || deleted.DeletedCount != count {
		t.Fatalf("%v: %+v", err, deleted)
	}
	counts := make(map[string]int)
	for _, event := range testdb.All(t, db, outgraph.OutboxCollection, "position") {
		key := event.Lookup("operation").StringValue()
		if payload, err := event.LookupErr("payload", "n"); err == nil {
			key += fmt.Sprint(payload.Int32())
		}
		counts[key]++
	}
	if counts["upsert0"] != count || counts["upsert1"] != count || counts["delete"] != count || len(counts) != 3 {
		t.Errorf("recorded: %v", counts)
	}
}

func TestADocumentWhoseAggregateIDChangesDeletesTheOldAggregate(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "old"}})
	notes := outgraph.Track(db, outgraph.Aggregate{Type: "note", Collection: "notes", ID: func(document bson.Raw) (string, error) {
		return document.Lookup("name").StringValue(), nil
	}})
	if _, err := notes.UpdateOne(t.Context(), byID(1), set("name", "new")); err != nil {
		t.Fatal(err)
	}
	expectEvents(t, db, "delete old", "upsert new")
}

func TestAnIDThatOneDocumentGivesUpAndAnotherTakesEndsWithTheOthersState(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "b"}}, bson.D{{Key: "_id", Value: 2}, {Key: "name", Value: "a"}})
	notes := outgraph.Track(db, outgraph.Aggregate{Type: "note", Collection: "notes", ID: func(document bson.Raw) (string, error) {
		return document.Lookup("name").StringValue(), nil
	}})
	swap := bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "name", Value: bson.D{{Key: "$cond", Value: bson.A{bson.D{{Key: "$eq", Value: bson.A{"$name", "a"}}}, "b", "a"}}}}}}}}
	if _, err := notes.UpdateMany(t.Context(), bson.D{}, swap); err != nil {
		t.Fatal(err)
	}
	expectEvents(t, db, "delete b", "delete a", "upsert a", "upsert b")
}

func TestAnEmptyTimestampIsRecordedAsTheServerFillsItIn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	if _, err := outgraph.Track(db, note).InsertOne(t.Context(), bson.D{{Key: "at", Value: bson.Timestamp{}}, {Key: "_id", Value: "a"}}); err != nil {
		t.Fatal(err)
	}
	payload := testdb.All(t, db, outgraph.OutboxCollection, "position")[0].Lookup("payload")
	if got, want := testdb.Text(t, payload), testdb.Text(t, testdb.All(t, db, "notes", "_id")[0]); got != want {
		t.Errorf("recorded %s, stored %s", got, want)
	}
}

func TestAClientsOwnRegistryDecidesWhatIsRecorded(t *testing.T) {
	t.Parallel()
	uri := clientOptions(t)
	db := testdb.Connect(t, uri.SetBSONOptions(&options.BSONOptions{UseJSONStructTags: true, NilSliceAsEmpty: true}))
	document := struct {
		ID   string   `json:"_id"`
		Tags []string `json:"labels"`
	}{ID: "a"}
	if _, err := outgraph.Track(db, note).InsertOne(t.Context(), document); err != nil {
		t.Fatal(err)
	}
	payload := testdb.All(t, db, outgraph.OutboxCollection, "position")[0].Lookup("payload")
	if got := testdb.Text(t, payload); got != `{"value":{"_id":"a","labels":[]}}` {
		t.Errorf("recorded %s", got)
	}
}

func TestOptionsOfAWriteDecideWhichDocumentIsRecorded(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db,
		bson.D{{Key: "_id", Value: "a"}, {Key: "n", Value: 1}, {Key: "list", Value: bson.A{1, 5}}},
		bson.D{{Key: "_id", Value: "b"}, {Key: "n", Value: 2}, {Key: "list", Value: bson.A{1, 5}}},
	)
	notes := outgraph.Track(db, note)
	last := options.FindOneAndUpdate().SetSort(bson.D{{Key: "n", Value: -1}}).SetReturnDocument(options.After).
		SetProjection(bson.D{{Key: "_id", Value: 1}})
	found, err := notes.FindOneAndUpdate(t.Context(), bson.D{}, set("done", true), last).Raw()
	if err != nil || testdb.Text(t, found) != `{"value":{"_id":"b"}}` {
		t.Fatalf("%v: %s", err, found)
	}
	expression := bson.D{{Key: "$expr", Value: bson.D{{Key: "$eq", Value: bson.A{"$n", "$$wanted"}}}}}
	filtered := options.UpdateOne().SetLet(bson.D{{Key: "wanted", Value: 1}}).SetHint("_id_").SetArrayFilters([]any{bson.D{{Key: "x", Value: bson.D{{Key: "$gt", Value: 3}}}}})
	if _, err := notes.UpdateOne(t.Context(), expression, set("list.$[x]", 9), filtered); err != nil {
		t.Fatal(err)
	}
	deleted, err := notes.DeleteMany(t.Context(), expression, options.DeleteMany().SetLet(bson.D{{Key: "wanted", Value: 2}}))
	if err != nil || deleted.DeletedCount != 1 {
		t.Fatalf("%v: %+v", err, deleted)
	}
	expectEvents(t, db, "upsert b", "upsert a", "delete b")
}

func TestFindOneAndUpdateThatInsertsAnswersAsTheDriverDoes(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	upsert := options.FindOneAndUpdate().SetUpsert(true)
	if err := notes.FindOneAndUpdate(t.Context(), byID("a"), set("n", int32(1)), upsert).Err(); !errors.Is(err, mongo.ErrNoDocuments) {
		t.Fatalf("before: %v", err)
	}
	after := upsert.SetReturnDocument(options.After).SetProjection(bson.D{{Key: "n", Value: 1}, {Key: "_id", Value: 0}})
	found, err := notes.FindOneAndUpdate(t.Context(), byID("b"), set("n", int32(2)), after).Raw()
	if err != nil || testdb.Text(t, found) != `{"value":{"n":{"$numberInt":"2"}}}` {
		t.Fatalf("after: %v: %s", err, found)
	}
	expectEvents(t, db, "upsert a", "upsert b")
}

func TestAWriteWithACollationOfItsOwnIsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, byID("a"), byID("A"))
	notes := outgraph.Track(db, note)
	collation := &options.Collation{Locale: "en", Strength: 2}
	attempts := map[string]func(ctx context.Context) error{
		"UpdateOne": func(ctx context.Context) error {
			_, err := notes.UpdateOne(ctx, byID("A"), set("n", 1), options.UpdateOne().SetCollation(collation))
			return err
		},
		"UpdateMany": func(ctx context.Context) error {
			_, err := notes.UpdateMany(ctx, byID("A"), set("n", 1), options.UpdateMany().SetCollation(collation))
			return err
		},
		"ReplaceOne": func(ctx context.Context) error {
			_, err := notes.ReplaceOne(ctx, byID("A"), bson.D{}, options.Replace().SetCollation(collation))
			return err
		},
		"FindOneAndUpdate": func(ctx context.Context) error {
			return notes.FindOneAndUpdate(ctx, byID("A"), set("n", 1), options.FindOneAndUpdate().SetCollation(collation)).Err()
		},
		"DeleteOne": func(ctx context.Context) error {
			_, err := notes.DeleteOne(ctx, byID("A"), options.DeleteOne().SetCollation(collation))
			return err
		},
		"DeleteMany": func(ctx context.Context) error {
			_, err := notes.DeleteMany(ctx, byID("A"), options.DeleteMany().SetCollation(collation))
			return err
		},
	}
	for name, attempt := range attempts {
		if err := attempt(t.Context()); !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeUntracked}) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := testdb.Text(t, testdb.All(t, db, "notes", "_id")); got != `{"value":[{"_id":"A"},{"_id":"a"}]}` {
		t.Errorf("notes holds %s", got)
	}
	expectEvents(t, db)
}

func TestReadsAreTheDriversOwn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, byID("a"), byID("b"))
	notes := outgraph.Track(db, note)
	cursor, err := notes.Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var found []bson.M
	if err := cursor.All(t.Context(), &found); err != nil || len(found) != 2 {
		t.Errorf("Find: %v: %v", err, found)
	}
	if err := notes.FindOne(t.Context(), byID("z")).Err(); !errors.Is(err, mongo.ErrNoDocuments) {
		t.Errorf("FindOne: %v", err)
	}
	if count, err := notes.CountDocuments(t.Context(), bson.D{}); err != nil || count != 2 {
		t.Errorf("CountDocuments: %v: %d", err, count)
	}
	cursor, err = notes.Aggregate(t.Context(), mongo.Pipeline{{{Key: "$match", Value: byID("a")}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := cursor.All(t.Context(), &found); err != nil || len(found) != 1 {
		t.Errorf("Aggregate: %v: %v", err, found)
	}
}

func TestConcurrentUpdatesOfOneDocumentHavePositionsInTheOrderOfItsStates(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, bson.D{{Key: "_id", Value: "a"}, {Key: "n", Value: int32(0)}})
	notes := outgraph.Track(db, note)
	const writers, each = 6, 5
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for range each {
				if _, err := notes.UpdateOne(t.Context(), byID("a"), bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int32(1)}}}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	recorded := testdb.All(t, db, outgraph.OutboxCollection, "position")
	if len(recorded) != writers*each {
		t.Fatalf("%d events", len(recorded))
	}
	for index, event := range recorded {
		if n := event.Lookup("payload", "n").Int32(); n != int32(index+1) {
			t.Fatalf("the event at place %d has the state %d", index+1, n)
		}
	}
}
