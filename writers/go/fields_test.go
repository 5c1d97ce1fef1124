package outgraph_test

import (
	"errors"
	"slices"
	"testing"

	outgraph "outgraph.example/writers/go"
	"outgraph.example/writers/go/internal/testdb"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func TestAWriteThatChangesOnlyUndeclaredFieldsRecordsNoEventUnlessItIsAskedTo(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	declared := note
	declared.Fields = []string{"name", "city"}
	notes := outgraph.Track(db, declared)
	ctx := t.Context()
	ada := func(seen int) bson.D { return bson.D{{Key: "name", Value: "Ada"}, {Key: "seen", Value: seen}} }
	unset := func(field string) bson.D {
		return bson.D{{Key: "$unset", Value: bson.D{{Key: field, Value: ""}}}}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := notes.InsertOne(ctx, append(byID("a"), ada(1)...))
	must(err)
	updated, err := notes.UpdateOne(ctx, byID("a"), set("seen", 2))
	must(err)
	if updated.ModifiedCount != 1 {
		t.Errorf("%+v", updated)
	}
	_, err = notes.ReplaceOne(ctx, byID("a"), ada(3))
	must(err)
	must(notes.FindOneAndUpdate(ctx, byID("a"), unset("seen")).Err())
	_, err = notes.UpdateMany(ctx, byID("a"), set("seen", 4))
	must(err)
	expectEvents(t, db, "upsert a")

	asked := outgraph.WithUnchanged(ctx)
	_, err = notes.UpdateOne(asked, byID("a"), set("seen", 5))
	must(err)
	_, err = notes.ReplaceOne(asked, byID("a"), ada(6))
	must(err)
	must(notes.FindOneAndUpdate(asked, byID("a"), unset("seen")).Err())
	_, err = notes.UpdateMany(asked, byID("a"), set("seen", 7))
	must(err)
	expectEvents(t, db, slices.Repeat([]string{"upsert a"}, 5)...)

	for _, change := range []bson.D{set("city", nil), set("city", int32(1)), set("city", int64(1)), unset("city")} {
		_, err = notes.UpdateOne(ctx, byID("a"), change)
		must(err)
	}
	_, err = notes.DeleteOne(ctx, byID("a"))
	must(err)
	expectEvents(t, db, append(slices.Repeat([]string{"upsert a"}, 9), "delete a")...)
}

func TestAPathIsRefusedAsADeclaredField(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	declared := note
	declared.Fields = []string{"home.city"}
	_, err := outgraph.Track(db, declared).InsertOne(t.Context(), byID("a"))
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeEventInvalid}) {
		t.Error(err)
	}
	expectEvents(t, db)
}
