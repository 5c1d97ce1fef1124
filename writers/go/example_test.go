package outgraph_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var person = outgraph.Aggregate{Type: "person", Collection: "people"}

func ExampleTrack() {
	run(func(ctx context.Context, db *mongo.Database) error {
		people := outgraph.Track(db, person)
		// The document and its event, or neither.
		if _, err := people.InsertOne(ctx, bson.M{"_id": "ada", "name": "Ada"}); err != nil {
			return err
		}
		// An event for each document that changed.
		_, err := people.UpdateMany(ctx, bson.M{"city": nil}, bson.M{"$set": bson.M{"city": "London"}})
		return err
	})
	// Output: 2 events
}

func ExampleRecordEvent() {
	run(func(ctx context.Context, db *mongo.Database) error {
		return outgraph.InTransaction(ctx, db.Client(), func(ctx context.Context) error {
			bob := bson.D{{Key: "_id", Value: "bob"}, {Key: "name", Value: "Bob"}}
			if _, err := db.Collection("people").InsertOne(ctx, bob); err != nil {
				return err
			}
			return outgraph.RecordEvent(ctx, db, person, outgraph.Upsert("bob", bob))
		})
	})
	// Output: 1 events
}

func ExampleSettled() {
	run(func(ctx context.Context, db *mongo.Database) error {
		defer consume(db)()
		people := outgraph.Track(db, person)
		var eventIDs []bson.ObjectID
		collecting := outgraph.WithEventIDs(ctx, &eventIDs)
		if _, err := people.InsertOne(collecting, bson.M{"_id": "eve", "name": "Eve"}); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return outgraph.Settled(ctx, db, eventIDs...)
	})
	// Output: 1 events
}

// run runs an example on a database of its own, and prints how many events it has recorded.
func run(example func(ctx context.Context, db *mongo.Database) error) {
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		fmt.Println(err)
		return
	}
	db := client.Database("go_" + bson.NewObjectID().Hex())
	err = example(ctx, db)
	if err != nil {
		fmt.Println(err)
	}
	count, err := db.Collection(outgraph.OutboxCollection).CountDocuments(ctx, bson.D{})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(count, "events")
	if err := db.Drop(ctx); err != nil {
		fmt.Println(err)
	}
	if err := client.Disconnect(ctx); err != nil {
		fmt.Println(err)
	}
}

func TestTheExamplesOfTheREADMEAreThoseThatRun(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) == 0 {
		t.Error("the README has no example")
	}
	for _, block := range blocks {
		example, _, _ := strings.Cut(block, "```")
		if !strings.Contains(unindented(string(code)), unindented(example)) {
			t.Errorf("no test runs this example:\n%s", example)
		}
	}
}

func unindented(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		lines.WriteString(strings.TrimLeft(line, "\t"))
	}
	return lines.String()
}
