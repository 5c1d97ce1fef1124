package outgraph_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// models is a bulk write of every kind, in which some models depend on earlier ones.
func models() []mongo.WriteModel {
	where := func(n int) bson.D { return bson.D{{Key: "n", Value: n}} }
	insertedID := bson.D{{Key: "$setOnInsert", Value: byID("c")}}
	push := bson.D{{Key: "$push", Value: bson.D{{Key: "list", Value: 1}}}}
	return []mongo.WriteModel{
		mongo.NewInsertOneModel().SetDocument(bson.D{{Key: "_id", Value: "a"}, {Key: "n", Value: 1}}),
		mongo.NewUpdateManyModel().SetFilter(where(1)).SetUpdate(increment("n")),
		mongo.NewUpdateOneModel().SetFilter(byID("b")).SetUpdate(set("n", 5)).SetUpsert(true),
		mongo.NewReplaceOneModel().SetFilter(where(2)).SetReplacement(where(3)),
		mongo.NewUpdateOneModel().SetFilter(where(9)).SetUpdate(insertedID).SetUpsert(true),
		mongo.NewUpdateOneModel().SetFilter(byID("b")).SetUpdate(push),
		mongo.NewUpdateOneModel().SetFilter(byID("b")).SetUpdate(set("list.$[x]", 2)).
			SetArrayFilters([]any{bson.D{{Key: "x", Value: 1}}}),
		mongo.NewDeleteOneModel().SetFilter(where(5)),
		mongo.NewInsertOneModel().SetDocument(bson.D{{Key: "_id", Value: "d"}, {Key: "n", Value: 1}}),
		mongo.NewDeleteManyModel().SetFilter(where(3)),
	}
}

func TestTheResultOfABulkWriteIsTheDriversOwn(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	result, err := outgraph.Track(db, note).BulkWrite(t.Context(), models())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := db.Collection("plain").BulkWrite(t.Context(), models())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(result, plain) {
		t.Errorf("%+v, not %+v", result, plain)
	}
	got, want := testdb.Text(t, testdb.All(t, db, "notes", "_id")), testdb.Text(t, testdb.All(t, db, "plain", "_id"))
	if got != want {
		t.Errorf("%s, not %s", got, want)
	}
	recorded := events(t, db)
	slices.Sort(recorded)
	if strings.Join(recorded, ", ") != "upsert c, upsert d" {
		t.Errorf("%q", recorded)
	}
}

func TestAnErrorOfABulkWriteNamesTheIndexOfItsModel(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	again := mongo.NewInsertOneModel().SetDocument(byID("d"))
	_, err := outgraph.Track(db, note).BulkWrite(t.Context(), append(models(), again))
	var failed mongo.BulkWriteException
	if !errors.As(err, &failed) || failed.WriteErrors[0].Index != 10 {
		t.Errorf("%v", err)
	}
	expectEvents(t, db)
}

func TestAWrongBulkWriteIsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	var none *mongo.UpdateOneModel
	for name, given := range map[string]struct {
		models  []mongo.WriteModel
		message string
	}{
		"no model":        {nil, "at least one model"},
		"nil":             {[]mongo.WriteModel{nil}, "the model 0 of a bulk write is <nil>"},
		"a nil pointer":   {[]mongo.WriteModel{models()[0], none}, "the model 1 of a bulk write is *mongo.UpdateOneModel"},
		"no document":     {[]mongo.WriteModel{mongo.NewInsertOneModel()}, "the model 0"},
		"no filter":       {[]mongo.WriteModel{mongo.NewDeleteManyModel()}, "needs a filter"},
		"no update":       {[]mongo.WriteModel{mongo.NewUpdateOneModel().SetFilter(byID("a"))}, ""},
		"no replacement":  {[]mongo.WriteModel{mongo.NewReplaceOneModel().SetFilter(byID("a"))}, ""},
		"no operator":     {[]mongo.WriteModel{mongo.NewUpdateOneModel().SetFilter(byID("a")).SetUpdate(byID("a"))}, "$"},
		"a wrong filter":  {[]mongo.WriteModel{mongo.NewDeleteOneModel().SetFilter(5)}, ""},
		"a wrong operand": {[]mongo.WriteModel{mongo.NewUpdateManyModel().SetFilter(byID("a")).SetUpdate(set("", 1))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := outgraph.Track(db, note).BulkWrite(t.Context(), given.models)
			if err == nil || !strings.Contains(err.Error(), given.message) {
				t.Errorf("%v", err)
			}
		})
	}
	expectEvents(t, db)
}

func TestASessionOfAnotherClientIsRefused(t *testing.T) {
	t.Parallel()
	db, other := testdb.New(t), testdb.New(t)
	session, err := other.Client().StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(t.Context())
	ctx := mongo.NewSessionContext(t.Context(), session)
	if _, err := outgraph.Track(db, note).BulkWrite(ctx, models()); !errors.Is(err, mongo.ErrWrongClient) {
		t.Errorf("%v", err)
	}
}

// monitored returns a database whose commands are noted.
func monitored(t *testing.T) (db *mongo.Database, commands func() []string) {
	t.Helper()
	var mutex sync.Mutex
	var names []string
	started := func(_ context.Context, started *event.CommandStartedEvent) {
		mutex.Lock()
		defer mutex.Unlock()
		names = append(names, started.CommandName)
	}
	db = testdb.Connect(t, clientOptions(t).SetMonitor(&event.CommandMonitor{Started: started}))
	return db, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		taken := names
		names = nil
		return taken
	}
}

func expectCommands(t *testing.T, got []string, wanted string) {
	t.Helper()
	if strings.Join(got, " ") != wanted {
		t.Errorf("the commands are %q, not %q", got, wanted)
	}
}

func TestABulkWriteByIDHasAsManyCommandsForAThousandModelsAsForOne(t *testing.T) {
	t.Parallel()
	db, commands := monitored(t)
	for _, count := range []int{1, 1_000} {
		var updates []mongo.WriteModel
		for index := range count {
			update := mongo.NewUpdateOneModel().SetFilter(byID(index)).SetUpdate(set("n", count)).SetUpsert(true)
			updates = append(updates, update)
		}
		commands()
		if _, err := outgraph.Track(db, note).BulkWrite(t.Context(), updates); err != nil {
			t.Fatal(err)
		}
		expectCommands(t, commands(), "find update find insert commitTransaction")
	}
	if got := len(events(t, db)); got != 1_001 {
		t.Errorf("%d events", got)
	}
}

func TestAnUpdateOfAFieldThatIsNotDeclaredIsOneCommand(t *testing.T) {
	t.Parallel()
	db, commands := monitored(t)
	seed(t, db, bson.D{{Key: "_id", Value: "a"}, {Key: "text", Value: "one"}, {Key: "seen", Value: 1}})
	declared := outgraph.Aggregate{Type: "note", Collection: "notes", Fields: []string{"text"}}
	notes, ctx := outgraph.Track(db, declared), t.Context()
	rename := func(from, to string) bson.M { return bson.M{"$rename": bson.M{from: to}} }
	raw, err := bson.Marshal(set("seen", 2))
	if err != nil {
		t.Fatal(err)
	}
	updateOne := func(update any, opts ...options.Lister[options.UpdateOneOptions]) func() error {
		return func() error { _, err := notes.UpdateOne(ctx, byID("a"), update, opts...); return err }
	}
	for index, call := range []struct {
		run    func() error
		wanted string
	}{
		{updateOne(bson.Raw(raw)), "update"},
		{updateOne(bson.M{"$inc": map[string]any{"x.y": 1}, "$unset": bson.D{{Key: "z", Value: ""}}}), "update"},
		{func() error { return notes.FindOneAndUpdate(ctx, bson.D{}, rename("x", "w")).Err() }, "findAndModify"},
		{func() error { _, err := notes.UpdateMany(ctx, bson.D{}, set("seen", 3)); return err }, "update commitTransaction"},
		{updateOne(set("text.x", 1)), "find update abortTransaction"},
		{updateOne(rename("seen", "text")), "find update find insert commitTransaction"},
		{updateOne(mongo.Pipeline{set("seen", 4)}), "find update find commitTransaction"},
		{updateOne(struct {
			Set bson.M `bson:"$set"`
		}{bson.M{"text": "two"}}), "find update find insert commitTransaction"},
		{updateOne(set("seen", 5), options.UpdateOne().SetSort(byID(1))), "find update find commitTransaction"},
		{updateOne(set("seen", 6), options.UpdateOne().SetUpsert(true)), "find update find commitTransaction"},
	} {
		commands()
		if err := call.run(); err != nil && !strings.Contains(call.wanted, "abort") {
			t.Fatalf("%d: %v", index, err)
		}
		expectCommands(t, commands(), call.wanted)
	}
	expectEvents(t, db, "upsert a", "upsert a")
}

func TestAWriteInChunksSaysWhatItCommittedBeforeAnError(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	for index := range 5 {
		value := any(0)
		if index == 3 {
			value = "text"
		}
		seed(t, db, bson.D{{Key: "_id", Value: index}, {Key: "n", Value: value}})
	}
	notes, ctx := outgraph.Track(db, note), t.Context()
	committed, err := notes.UpdateManyInChunks(ctx, 2, bson.D{}, increment("n"))
	var server mongo.ServerError
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeUnfinished}) || !errors.As(err, &server) {
		t.Fatalf("%v", err)
	}
	if committed.Chunks != 1 || committed.ModifiedCount != 2 || committed.LastID.Int32() != 1 {
		t.Fatalf("%+v", committed)
	}
	if _, err := notes.UpdateOne(ctx, byID(3), set("n", 0)); err != nil {
		t.Fatal(err)
	}
	rest := bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: committed.LastID}}}}
	var eventIDs []bson.ObjectID
	committed, err = notes.UpdateManyInChunks(outgraph.WithEventIDs(ctx, &eventIDs), 2, rest, increment("n"))
	if err != nil || committed.Chunks != 2 || committed.MatchedCount != 3 || len(eventIDs) != 3 {
		t.Fatalf("%v: %+v with %d events", err, committed, len(eventIDs))
	}
	for _, document := range testdb.All(t, db, "notes", "_id") {
		if document.Lookup("n").Int32() != 1 {
			t.Errorf("%s", document)
		}
	}
}

func TestAWriteInChunksEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	seed(t, db, byID(1), byID(2))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := outgraph.Track(db, note).DeleteManyInChunks(ctx, 1, bson.D{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	expectEvents(t, db)
}

func TestAWrongWriteInChunksIsRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	notes := outgraph.Track(db, note)
	for _, size := range []int{0, -1, 10_001} {
		if _, err := notes.DeleteManyInChunks(t.Context(), size, bson.D{}); !errors.Is(err, outgraph.ErrInvalidCall) {
			t.Errorf("%d: %v", size, err)
		}
	}
	if _, err := notes.DeleteManyInChunks(t.Context(), 1, nil); !errors.Is(err, mongo.ErrNilDocument) {
		t.Errorf("%v", err)
	}
	if err := notes.FindOneAndDelete(t.Context(), nil).Err(); !errors.Is(err, mongo.ErrNilDocument) {
		t.Errorf("%v", err)
	}
}

func TestMoreDocumentsThanOneTransactionTakesAreRefused(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	many := make([]any, 20_001)
	for index := range many {
		many[index] = byID(index)
	}
	seed(t, db, many...)
	notes, ctx := outgraph.Track(db, note), t.Context()
	for _, write := range []func() error{
		func() error { _, err := notes.UpdateMany(ctx, bson.D{}, set("n", 1)); return err },
		func() error { _, err := notes.DeleteMany(ctx, bson.D{}); return err },
		func() error {
			all := []mongo.WriteModel{mongo.NewDeleteManyModel().SetFilter(bson.D{})}
			_, err := notes.BulkWrite(ctx, all)
			return err
		},
	} {
		err := write()
		if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeTooManyDocuments}) ||
			!strings.Contains(err.Error(), "than 20000 documents") {
			t.Errorf("%v", err)
		}
	}
	expectEvents(t, db)
}
