package outgraph_test

import (
	"context"
	"fmt"
	"log"
	"os"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func Example() {
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		log.Fatal(err)
	}
	db := client.Database("go_example")
	defer db.Drop(ctx)

	graphs := outgraph.Track(db, outgraph.Graph)
	ada := bson.D{
		{Key: "_id", Value: "ada"},
		{Key: "nodes", Value: bson.A{bson.M{"label": "Person", "key": bson.M{"name": "Ada"}}}},
	}
	if _, err := graphs.InsertOne(ctx, ada); err != nil {
		log.Fatal(err)
	}
	deleted, err := graphs.DeleteOne(ctx, bson.M{"_id": "ada"})
	if err != nil {
		log.Fatal(err)
	}
	recorded, err := db.Collection(outgraph.OutboxCollection).CountDocuments(ctx, bson.M{"aggregateId": "ada"})
	fmt.Println(deleted.DeletedCount, "deleted,", recorded, "events,", err)
	// Output: 1 deleted, 2 events, <nil>
}

func ExampleRecordEvent() {
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		log.Fatal(err)
	}
	db := client.Database("go_example_record_event")
	defer db.Drop(ctx)

	person := outgraph.Aggregate{Type: "person"}
	ada := bson.D{{Key: "_id", Value: "ada"}, {Key: "name", Value: "Ada"}}
	err = outgraph.InTransaction(ctx, client, func(ctx context.Context) error {
		if _, err := db.Collection("people").InsertOne(ctx, ada); err != nil {
			return err
		}
		return outgraph.RecordEvent(ctx, db, person, outgraph.Upsert("ada", ada))
	})
	fmt.Println(err)
	// Output: <nil>
}
