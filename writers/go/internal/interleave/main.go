// Command interleave is the Go writer of the test in which writers of three languages change the same aggregates. See
// test/writers/interleaved/README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strconv"
	"time"

	"outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// ends counts the calls and transactions by their outcome.
type ends struct {
	Committed int `json:"committed"`
	Aborted   int `json:"aborted"`
	Failed    int `json:"failed"`
}

type writer struct {
	name       string
	aggregates int
	client     *mongo.Client
	documents  *outgraph.Collection
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	aggregates, err := strconv.Atoi(os.Getenv("AGGREGATES"))
	if err != nil {
		return fmt.Errorf("AGGREGATES: %w", err)
	}
	seconds, err := strconv.Atoi(os.Getenv("SECONDS"))
	if err != nil {
		return fmt.Errorf("SECONDS: %w", err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGODB_URI")))
	if err != nil {
		return fmt.Errorf("MONGODB_URI: %w", err)
	}
	defer func() { _ = client.Disconnect(ctx) }()
	documents := outgraph.Track(client.Database(os.Getenv("MONGODB_DATABASE")), outgraph.Graph)
	w := writer{name: os.Getenv("WRITER"), aggregates: aggregates, client: client, documents: documents}

	var done ends
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	for count := 0; time.Now().Before(until); count++ {
		drawn := rand.IntN(10)
		err := w.change(ctx, drawn, fmt.Sprintf("%s-%d", w.name, count))
		switch {
		case err != nil:
			done.Failed++
			fmt.Fprintln(os.Stderr, err)
		case drawn == 9:
			done.Aborted++
		default:
			done.Committed++
		}
	}
	return json.NewEncoder(os.Stdout).Encode(done)
}

func (w writer) change(ctx context.Context, drawn int, version string) error {
	id := w.anyID()
	touched := bson.D{{Key: "$set", Value: bson.D{{Key: "nodes.0.properties.touched", Value: w.name}}}}
	var err error
	switch drawn {
	case 0, 1, 2, 3:
		_, err = w.documents.UpdateOne(ctx, byID(id), set(state(id, version)), options.UpdateOne().SetUpsert(true))
	case 4:
		_, err = w.documents.ReplaceOne(ctx, byID(id), state(id, version), options.Replace().SetUpsert(true))
	case 5:
		_, err = w.documents.DeleteOne(ctx, byID(id))
	case 6:
		some := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: bson.A{id, w.anyID(), w.anyID()}}}}}
		_, err = w.documents.UpdateMany(ctx, some, touched)
	case 7:
		if err = w.documents.FindOneAndUpdate(ctx, byID(id), touched).Err(); errors.Is(err, mongo.ErrNoDocuments) {
			err = nil
		}
	case 8:
		err = outgraph.InTransaction(ctx, w.client, func(ctx context.Context) error {
			return w.changeTwo(ctx, id, version)
		})
	default:
		err = w.abort(ctx, id)
	}
	return err
}

func (w writer) changeTwo(ctx context.Context, id, version string) error {
	_, err := w.documents.UpdateOne(ctx, byID(id), set(state(id, version)), options.UpdateOne().SetUpsert(true))
	if err != nil {
		return err
	}
	_, err = w.documents.DeleteOne(ctx, byID(w.anyID()))
	return err
}

func (w writer) abort(ctx context.Context, id string) error {
	session, err := w.client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(ctx)
	if err := session.StartTransaction(); err != nil {
		return err
	}
	// An error is a conflict or a new primary: abort then as well.
	_ = w.changeTwo(mongo.NewSessionContext(ctx, session), id, "aborted")
	return session.AbortTransaction(ctx)
}

func (w writer) anyID() string {
	return strconv.Itoa(rand.IntN(w.aggregates))
}

func byID(id string) bson.D {
	return bson.D{{Key: "_id", Value: id}}
}

func set(fields bson.D) bson.D {
	return bson.D{{Key: "$set", Value: fields}}
}

func state(id, version string) bson.D {
	from := bson.D{{Key: "label", Value: "Interleaved"}, {Key: "key", Value: bson.D{{Key: "id", Value: id}}}}
	hub := bson.D{{Key: "id", Value: fmt.Sprintf("hub-%d", rand.IntN(3))}}
	to := bson.D{{Key: "label", Value: "InterleavedHub"}, {Key: "key", Value: hub}}
	properties := bson.D{{Key: "version", Value: version}}
	node := append(bson.D{{Key: "properties", Value: properties}}, from...)
	relationship := bson.D{
		{Key: "type", Value: "INTERLEAVED_AT"},
		{Key: "from", Value: from},
		{Key: "to", Value: to},
		{Key: "properties", Value: properties},
	}
	return bson.D{{Key: "nodes", Value: bson.A{node}}, {Key: "relationships", Value: bson.A{relationship}}}
}
