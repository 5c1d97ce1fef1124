// Package xmem provides XMem's operations as tracked writes. Users and dated events ([Memory]), and repositories,
// scanned files and annotations ([CodeGraph]), become MongoDB documents, from which outgraph builds XMem's two graphs.
// The package replaces direct calls of Neo4j.
//
//	memory := xmem.NewMemory(db)
//	id, err := memory.AddEvent(ctx, xmem.NewEvent{UserID: "ada", Date: "12-10", Name: "birthday"})
//
// Each operation is one transaction, or joins the transaction of the session in its context. Use outgraph.InTransaction
// to combine several operations. Deleting something that does not exist succeeds. A value that the graph could not
// hold, such as a date that is not one of the 366 days, is refused with an [outgraph.Fault].
package xmem

import (
	"context"
	"fmt"
	"strings"

	outgraph "outgraph.example/writers/go"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Option sets a property of the events of all operations: see [WithTraceparent].
type Option func(*outgraph.Aggregate)

// WithTraceparent reads the trace context of the events from the context of each call. Pass oteltrace.Traceparent of
// the writer library, or a function of your own:
//
//	memory := xmem.NewMemory(db, xmem.WithTraceparent(oteltrace.Traceparent))
func WithTraceparent(from func(ctx context.Context) string) Option {
	return func(aggregate *outgraph.Aggregate) { aggregate.Traceparent = from }
}

func track(db *mongo.Database, aggregate outgraph.Aggregate, opts []Option) *outgraph.Collection {
	for _, set := range opts {
		set(&aggregate)
	}
	return outgraph.Track(db, aggregate)
}

// EnsureIndexes creates the indexes that the operations need. Unique indexes keep one document for each user,
// repository, file and annotation, even with concurrent writers. The others speed up the search for events and
// annotations. Call it once, at the start.
//
//	err := xmem.EnsureIndexes(ctx, db)
//
// It returns an error of the driver, such as that of duplicates in a collection.
func EnsureIndexes(ctx context.Context, db *mongo.Database) error {
	for _, index := range []struct {
		collection string
		unique     bool
		fields     []string
	}{
		{User.Collection, true, []string{"user_id"}},
		{Event.Collection, false, []string{"user_id", "date"}},
		{Event.Collection, false, []string{"user_id", "event_name"}},
		{Repository.Collection, true, []string{"org_id", "repo_name"}},
		{File.Collection, true, []string{"org_id", "repo", "file_path"}},
		{Annotation.Collection, true, []string{"annotation_id"}},
		{Annotation.Collection, false, []string{"org_id", "repo"}},
	} {
		keys := bson.D{}
		for _, field := range index.fields {
			keys = append(keys, bson.E{Key: field, Value: 1})
		}
		model := mongo.IndexModel{Keys: keys, Options: options.Index().SetUnique(index.unique)}
		if _, err := db.Collection(index.collection).Indexes().CreateOne(ctx, model); err != nil {
			return fmt.Errorf("xmem: creating an index of %s: %w", index.collection, err)
		}
	}
	return nil
}

// argument is a value of a filter and its required shape: an empty value would match more than one thing.
type argument struct {
	name, value string
	of          shape
}

// filter returns the filter of the arguments, and refuses an argument without its required shape.
func filter(arguments ...argument) (bson.D, error) {
	var problems []string
	found := bson.D{}
	for _, given := range arguments {
		kind, value, err := bson.MarshalValue(given.value)
		if err != nil {
			return nil, err
		}
		given.of(bson.RawValue{Type: kind, Value: value}, given.name, &problems)
		found = append(found, bson.E{Key: given.name, Value: given.value})
	}
	if len(problems) > 0 {
		return nil, refused(strings.Join(problems, "; "))
	}
	return found, nil
}

func refused(message string) error {
	return &outgraph.Fault{Code: outgraph.CodePayloadInvalid, Message: message + "."}
}
