// Package xmem turns XMem's writes into tracked ones: users and dated events ([Memory]), repositories, scanned files
// and annotations ([CodeGraph]) become documents of MongoDB, of which outgraph makes XMem's two graphs. It takes the
// place of direct calls of Neo4j.
//
// Each operation is one transaction, or part of the one whose session its context carries; outgraph.InTransaction joins
// several. To delete what is not there succeeds. What the graph could not hold, such as a date that is none of the 366
// days, is refused with an outgraph.Fault.
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

// Option sets what the events of all operations have in common.
type Option func(*outgraph.Aggregate)

// WithTraceparent takes the trace context of the events from the context of each call. oteltrace.Traceparent, of the
// writer library, is such a function.
func WithTraceparent(from func(ctx context.Context) string) Option {
	return func(aggregate *outgraph.Aggregate) { aggregate.Traceparent = from }
}

func track(db *mongo.Database, aggregate outgraph.Aggregate, opts []Option) *outgraph.Collection {
	for _, set := range opts {
		set(&aggregate)
	}
	return outgraph.Track(db, aggregate)
}

// EnsureIndexes makes the indexes that the operations need: one document for each user, repository, file and
// annotation, also of writers at the same time, and the ways by which events are found. Call it once, at the start.
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
			return fmt.Errorf("xmem: an index of %s: %w", index.collection, err)
		}
	}
	return nil
}

// argument is a value of a filter, and what it must be: an empty one would mean more than one thing.
type argument struct {
	name, value string
	of          shape
}

// filter refuses arguments that are not what they must be.
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
