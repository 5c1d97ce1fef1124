// Package testdb gives each test a database of its own on a real replica set, with an outbox that has outgraph's
// validator. The writer library's package of this name is internal to its module.
package testdb

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// New creates a database with an outbox on the replica set of MONGODB_URI, and drops it at the end of the test. Without
// MONGODB_URI the test fails; it is never skipped.
func New(t testing.TB) *mongo.Database {
	t.Helper()
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		t.Fatal("set MONGODB_URI to a replica set")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	db := client.Database("go_xmem_" + bson.NewObjectID().Hex())
	// The context of a test ends before its cleanup begins.
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		if err := db.Drop(ctx); err != nil {
			t.Error(err)
		}
		if err := client.Disconnect(ctx); err != nil {
			t.Error(err)
		}
	})
	var validator bson.Raw
	ReadJSON(t, "schema/outbox.validator.json", &validator)
	if err := db.CreateCollection(ctx, "outbox", options.CreateCollection().SetValidator(validator)); err != nil {
		t.Fatal(err)
	}
	return db
}

// ReadJSON reads a file of the repository that contains this module, with each value in its BSON type.
func ReadJSON(t testing.TB, file string, into any) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	repository := filepath.Join(filepath.Dir(here), "..", "..", "..", "..")
	text, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	if err := bson.UnmarshalExtJSON(text, true, into); err != nil {
		t.Fatal(err)
	}
}

// All returns the stored documents of a collection, in the order of the given field.
func All(t testing.TB, db *mongo.Database, collection, order string) []bson.Raw {
	t.Helper()
	sorted := options.Find().SetSort(bson.D{{Key: order, Value: 1}})
	cursor, err := db.Collection(collection).Find(t.Context(), bson.D{}, sorted)
	if err != nil {
		t.Fatal(err)
	}
	documents := []bson.Raw{}
	if err := cursor.All(t.Context(), &documents); err != nil {
		t.Fatal(err)
	}
	return documents
}

// Text returns a document or value as canonical Extended JSON: equal texts mean equal values of equal BSON types.
func Text(t testing.TB, value any) string {
	t.Helper()
	text, err := bson.MarshalExtJSON(bson.D{{Key: "value", Value: value}}, true, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
