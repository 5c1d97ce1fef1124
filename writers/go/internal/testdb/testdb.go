// Package testdb gives each test a database of its own on a real replica set, with an outbox that has outgraph's
// validator.
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

// Repository returns the path of a file of the repository that contains this module.
func Repository(parts ...string) string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(append([]string{filepath.Dir(here), "..", "..", "..", ".."}, parts...)...)
}

// New creates a database with an outbox on the replica set of MONGODB_URI, and drops it at the end of the test. Without
// MONGODB_URI the test fails; it is never skipped.
func New(t testing.TB) *mongo.Database {
	t.Helper()
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		t.Fatal("set MONGODB_URI to a replica set")
	}
	return Connect(t, options.Client().ApplyURI(uri))
}

// Connect is New with the test's own client options.
func Connect(t testing.TB, clientOptions *options.ClientOptions) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(clientOptions)
	if err != nil {
		t.Fatal(err)
	}
	db := client.Database("go_" + bson.NewObjectID().Hex())
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
	if err := db.CreateCollection(ctx, "outbox", options.CreateCollection().SetValidator(validator(t))); err != nil {
		t.Fatal(err)
	}
	return db
}

// validator returns the validator of the outbox, which is generated from outgraph's schema.
func validator(t testing.TB) bson.Raw {
	t.Helper()
	text, err := os.ReadFile(Repository("schema", "outbox.validator.json"))
	if err != nil {
		t.Fatal(err)
	}
	var document bson.Raw
	if err := bson.UnmarshalExtJSON(text, true, &document); err != nil {
		t.Fatal(err)
	}
	return document
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
