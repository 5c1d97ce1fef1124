package outgraph_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
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

func increment(field string) bson.D {
	return bson.D{{Key: "$inc", Value: bson.D{{Key: field, Value: int32(1)}}}}
}

// seed inserts documents without the library.
func seed(t *testing.T, db *mongo.Database, documents ...any) {
	t.Helper()
	if _, err := db.Collection(note.Collection).InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
}

// events returns the events of the outbox in the order of their positions: "upsert a", "delete b".
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
		t.Errorf("the outbox contains %q, not %q", got, wanted)
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
	updated, err := notes.UpdateMany(t.Context(), bson.D{{Key: "n", Value: 0}}, increment("n"))
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

func TestAWriteThatMovesAggregateIDsBetweenDocumentsIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	const count = 501
	var documents []any
	for slot := range count {
		documents = append(documents, bson.D{{Key: "_id", Value: int32(slot)}, {Key: "slot", Value: int32(slot)}})
	}
	seed(t, db, documents...)
	slotOf := func(document bson.Raw) (string, error) { return fmt.Sprint(document.Lookup("slot").Int32()), nil }
	notes := outgraph.Track(db, outgraph.Aggregate{Type: "note", Collection: "notes", ID: slotOf})
	_, err := notes.UpdateMany(t.Context(), bson.D{}, increment("slot"))
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
		t.Errorf("%v", err)
	}
	for slot, document := range testdb.All(t, db, "notes", "_id") {
		if got := document.Lookup("slot").Int32(); got != int32(slot) {
			t.Fatalf("the document %d has the slot %d", slot, got)
		}
	}
	expectEvents(t, db)
}

func TestEachInsertHasItsEventWhateverTheClientDecodesAnIDAs(t *testing.T) {
	t.Parallel()
	for name, decoding := range map[string]*options.BSONOptions{
		"M":     {DefaultDocumentM: true},
		"map":   {DefaultDocumentMap: true},
		"bytes": {BinaryAsSlice: true},
		"text":  {ObjectIDAsHexString: true},
		"none":  {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := testdb.Connect(t, clientOptions(t).SetBSONOptions(decoding))
			notes := outgraph.Track(db, named)
			const writes = 60
			for index := range writes {
				id := bson.D{{Key: "b", Value: int32(index)}, {Key: "a", Value: int32(1)}, {Key: "c", Value: int32(1)}}
				note := bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "d"}}
				if _, err := notes.InsertOne(t.Context(), note); err != nil {
					t.Fatal(err)
				}
			}
			uuid := bson.Binary{Subtype: bson.TypeBinaryUUID, Data: make([]byte, 16)}
			many := []bson.D{
				{{Key: "_id", Value: uuid}, {Key: "name", Value: "d"}},
				{{Key: "_id", Value: bson.Binary{Data: []byte("x")}}, {Key: "name", Value: "d"}},
				{{Key: "name", Value: "d"}},
			}
			if _, err := notes.InsertMany(t.Context(), many); err != nil {
				t.Fatal(err)
			}
			upsertOne := options.UpdateOne().SetUpsert(true)
			if _, err := notes.UpdateOne(t.Context(), byID("none"), set("name", "d"), upsertOne); err != nil {
				t.Fatal(err)
			}
			id := bson.D{{Key: "z", Value: 1}, {Key: "y", Value: 1}, {Key: "x", Value: 1}}
			inserted := bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "d"}}
			missing, update := bson.D{{Key: "name", Value: "none"}}, bson.D{{Key: "$setOnInsert", Value: inserted}}
			upsert := options.FindOneAndUpdate().SetUpsert(true)
			err := notes.FindOneAndUpdate(t.Context(), missing, update, upsert).Err()
			if !errors.Is(err, mongo.ErrNoDocuments) {
				t.Fatal(err)
			}
			if got := len(events(t, db)); got != writes+5 {
				t.Errorf("%d events of %d writes", got, writes+5)
			}
		})
	}
}

// named is an aggregate whose id is a field other than _id.
var named = outgraph.Aggregate{Type: "note", Collection: "notes", ID: func(document bson.Raw) (string, error) {
	return document.Lookup("name").StringValue(), nil
}}

func TestAnIDThatTheRegistryDecodesToAMapIsRefused(t *testing.T) {
	t.Parallel()
	registry := bson.NewRegistry()
	registry.RegisterTypeMapEntry(bson.TypeEmbeddedDocument, reflect.TypeFor[bson.M]())
	db := testdb.Connect(t, clientOptions(t).SetRegistry(registry))
	id := bson.D{{Key: "b", Value: 1}, {Key: "a", Value: 1}}
	document := bson.D{{Key: "_id", Value: id}, {Key: "name", Value: "d"}}
	_, err := outgraph.Track(db, named).InsertOne(t.Context(), document)
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeUntracked}) {
		t.Errorf("%v", err)
	}
	if count := len(testdb.All(t, db, "notes", "_id")); count != 0 {
		t.Errorf("%d documents", count)
	}
	expectEvents(t, db)
}

func TestARefusalThatIsCaughtCannotBeCommitted(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, bson.D{{Key: "_id", Value: 1.5}})
	notes := outgraph.Track(db, note)
	session, err := db.Client().StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(t.Context())
	refused := map[string]func(ctx context.Context) error{
		"UpdateOne": func(ctx context.Context) error {
			_, err := notes.UpdateOne(ctx, bson.D{}, set("n", 1))
			return err
		},
		"RecordEvent": func(ctx context.Context) error {
			return outgraph.RecordEvent(ctx, db, note, outgraph.Upsert("", bson.D{}))
		},
	}
	for name, write := range refused {
		if err := session.StartTransaction(); err != nil {
			t.Fatal(err)
		}
		ctx := mongo.NewSessionContext(t.Context(), session)
		if _, err := db.Collection("notes").InsertOne(ctx, byID("before")); err != nil {
			t.Fatal(err)
		}
		if err := write(ctx); !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
			t.Errorf("%s: %v", name, err)
		}
		// A later write must not run outside the transaction either.
		if _, err := db.Collection("notes").InsertOne(ctx, byID("after")); err == nil {
			t.Errorf("%s: a later write was accepted", name)
		}
		if err := session.CommitTransaction(ctx); err == nil {
			t.Errorf("%s: the commit was accepted", name)
		}
	}
	// The session can run another transaction.
	next := func(ctx context.Context) (any, error) { return notes.InsertOne(ctx, byID("next")) }
	if _, err := session.WithTransaction(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	const want = `{"value":[{"_id":{"$numberDouble":"1.5"}},{"_id":"next"}]}`
	if got := testdb.Text(t, testdb.All(t, db, "notes", "_id")); got != want {
		t.Errorf("notes contains %s", got)
	}
	expectEvents(t, db, "upsert next")
}

func TestARefusalThatWorkDoesNotReturnIsReturnedForIt(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	attempts := 0
	err := outgraph.InTransaction(t.Context(), db.Client(), func(ctx context.Context) error {
		attempts++
		_, _ = outgraph.Track(db, note).InsertOne(ctx, byID(1.5))
		return nil
	})
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) || attempts != 1 {
		t.Errorf("%d attempts: %v", attempts, err)
	}
	if count := len(testdb.All(t, db, "notes", "_id")); count != 0 {
		t.Errorf("%d documents", count)
	}
}

func TestTextThatIsNotUTF8IsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	const bad = "a\xffb"
	for place, value := range map[string]any{
		"payload.x":        bad,
		"payload.x.y":      bson.D{{Key: "y", Value: bad}},
		"payload.x[1]":     bson.A{1, bad},
		"payload.x[0].y":   bson.A{bson.D{{Key: "y", Value: bad}}},
		"payload.x.":       bson.D{{Key: bad, Value: 1}},
		"payload.x must":   bson.JavaScript(bad),
		"payload.x is not": nil,
		"payload.x ":       bson.Regex{Pattern: bad},
		"payload.x mus":    bson.Symbol(bad),
		"payload.x.x must": bson.CodeWithScope{Code: "x", Scope: bson.D{{Key: "x", Value: bad}}},
	} {
		document := bson.D{{Key: "_id", Value: "a"}, {Key: "x", Value: value}}
		if value == nil {
			document = bson.D{{Key: "_id", Value: bad}}
		}
		invalid := &outgraph.Fault{Code: outgraph.CodeEventInvalid}
		_, err := notes.InsertOne(t.Context(), document)
		if !errors.Is(err, invalid) || value != nil && !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", place, err)
		}
		err = outgraph.InTransaction(t.Context(), db.Client(), func(ctx context.Context) error {
			return outgraph.RecordEvent(ctx, db, note, outgraph.Upsert("a", document))
		})
		if !errors.Is(err, invalid) {
			t.Errorf("%s: %v", place, err)
		}
	}
	seed(t, db, bson.D{{Key: "_id", Value: "a"}, {Key: "x", Value: bad}})
	_, err := notes.UpdateOne(t.Context(), byID("a"), set("n", 1))
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
		t.Errorf("%v", err)
	}
	if _, err := notes.UpdateOne(t.Context(), byID("a"), set("x", "good")); err != nil {
		t.Error(err)
	}
	expectEvents(t, db, "upsert a")
}

func TestAnEmptyTimestampIsRecordedAsTheServerFillsItIn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	document := bson.D{{Key: "at", Value: bson.Timestamp{}}, {Key: "_id", Value: "a"}}
	if _, err := outgraph.Track(db, note).InsertOne(t.Context(), document); err != nil {
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
	greater := bson.D{{Key: "x", Value: bson.D{{Key: "$gt", Value: 3}}}}
	filtered := options.UpdateOne().SetLet(bson.D{{Key: "wanted", Value: 1}}).SetHint("_id_").
		SetArrayFilters([]any{greater})
	if _, err := notes.UpdateOne(t.Context(), expression, set("list.$[x]", 9), filtered); err != nil {
		t.Fatal(err)
	}
	second := options.DeleteMany().SetLet(bson.D{{Key: "wanted", Value: 2}})
	deleted, err := notes.DeleteMany(t.Context(), expression, second)
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
	err := notes.FindOneAndUpdate(t.Context(), byID("a"), set("n", int32(1)), upsert).Err()
	if !errors.Is(err, mongo.ErrNoDocuments) {
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
			opts := options.FindOneAndUpdate().SetCollation(collation)
			return notes.FindOneAndUpdate(ctx, byID("A"), set("n", 1), opts).Err()
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
		t.Errorf("notes contains %s", got)
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
				if _, err := notes.UpdateOne(t.Context(), byID("a"), increment("n")); err != nil {
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
			t.Fatalf("event number %d has the state %d", index+1, n)
		}
	}
}
