package outgraph_test

import (
	"errors"
	"os"
	"testing"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func TestAWriteToAStandaloneServerSaysSoAndWritesNothing(t *testing.T) {
	t.Parallel()
	uri := os.Getenv("MONGODB_STANDALONE_URI")
	if uri == "" {
		t.Fatal("set MONGODB_STANDALONE_URI to a server that is not a replica set")
	}
	client, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Disconnect(t.Context()) }()
	db := client.Database("go_" + bson.NewObjectID().Hex())
	_, err = outgraph.Track(db, note).InsertOne(t.Context(), byID("a"))
	if !errors.Is(err, &outgraph.Fault{Code: outgraph.CodeNoTransaction}) {
		t.Fatalf("got %v", err)
	}
	documents, err := db.Collection(note.Collection).CountDocuments(t.Context(), bson.D{})
	if err != nil || documents != 0 {
		t.Fatalf("%d documents, %v", documents, err)
	}
}
