package outgraph

import (
	"context"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Find is the driver's own.
func (c *Collection) Find(ctx context.Context, filter any, opts ...options.Lister[options.FindOptions]) (*mongo.Cursor, error) {
	return c.collection.Find(ctx, filter, opts...)
}

// FindOne is the driver's own.
func (c *Collection) FindOne(ctx context.Context, filter any, opts ...options.Lister[options.FindOneOptions]) *mongo.SingleResult {
	return c.collection.FindOne(ctx, filter, opts...)
}

// CountDocuments is the driver's own.
func (c *Collection) CountDocuments(ctx context.Context, filter any, opts ...options.Lister[options.CountOptions]) (int64, error) {
	return c.collection.CountDocuments(ctx, filter, opts...)
}

// Aggregate is the driver's own, for pipelines that only read: one with $merge or $out is refused with [CodeUntracked], because its writes would have no events.
func (c *Collection) Aggregate(ctx context.Context, pipeline any, opts ...options.Lister[options.AggregateOptions]) (*mongo.Cursor, error) {
	kind, marshalled, err := bson.MarshalValue(pipeline)
	if err != nil {
		return nil, c.failed("reading the pipeline", err)
	}
	stages, err := bson.RawArray(marshalled).Values()
	if err != nil || kind != bson.TypeArray {
		return nil, faultf(CodeUntracked, "The pipeline must be a list of stages.")
	}
	for _, stage := range stages {
		document, ok := stage.DocumentOK()
		if !ok {
			continue // The server refuses it.
		}
		for _, writing := range []string{"$merge", "$out"} {
			if _, err := document.LookupErr(writing); err == nil {
				return nil, faultf(CodeUntracked,
					"A pipeline with %s would write without recording events: read with the pipeline, and write with UpdateOne or InsertMany.", writing)
			}
		}
	}
	return c.collection.Aggregate(ctx, pipeline, opts...)
}

// read returns the documents as the bytes that are stored.
func (c *Collection) read(ctx context.Context, filter any, opts ...options.Lister[options.FindOptions]) ([]bson.Raw, error) {
	cursor, err := c.collection.Find(ctx, filter, opts...)
	if err != nil {
		return nil, c.failed("reading", err)
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	var documents []bson.Raw
	for cursor.Next(ctx) {
		documents = append(documents, slices.Clone(cursor.Current))
	}
	if err := cursor.Err(); err != nil {
		return nil, c.failed("reading", err)
	}
	return documents, nil
}

func (c *Collection) readIDs(ctx context.Context, filter, hint, let any) ([]any, error) {
	documents, err := c.read(ctx, filter, find(hint, let).SetProjection(bson.D{{Key: "_id", Value: 1}}))
	return idsOf(documents), err
}

// find reads with what the options of a write say of its filter.
func find(hint, let any) *options.FindOptionsBuilder {
	read := options.Find()
	if hint != nil {
		read.SetHint(hint)
	}
	if let != nil {
		read.SetLet(let)
	}
	return read
}

// one reads the document that a write with these options would take.
func one(hint, let, sort any) *options.FindOptionsBuilder {
	read := find(hint, let).SetLimit(1)
	if sort != nil {
		read.SetSort(sort)
	}
	return read
}

// resolve applies the driver's options in their order.
func resolve[Options any](opts []options.Lister[Options]) (Options, error) {
	var resolved Options
	for _, lister := range opts {
		if lister == nil {
			continue
		}
		for _, set := range lister.List() {
			if set == nil {
				continue
			}
			if err := set(&resolved); err != nil {
				return resolved, err
			}
		}
	}
	return resolved, nil
}

// refuseCollation: which documents a write with a collation of its own changes cannot be told by their ids, because it compares ids too.
func refuseCollation(collation *options.Collation) error {
	if collation == nil {
		return nil
	}
	return faultf(CodeUntracked, "A write with a collation could change documents without recording events: read with the collation, and write by _id; or give the collection one.")
}

// targetOf is the one document that was found, if it still matches; the filter stays, because $ in an update takes its place from it.
func targetOf(found []bson.Raw, filter any) any {
	if len(found) == 0 {
		return filter
	}
	return both(bson.D{{Key: "_id", Value: found[0].Lookup("_id")}}, filter)
}

func both(left, right any) bson.D {
	return bson.D{{Key: "$and", Value: bson.A{left, right}}}
}

func withIDs(ids []any) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
}

func idsOf(documents []bson.Raw) []any {
	ids := make([]any, 0, len(documents))
	for _, document := range documents {
		ids = append(ids, document.Lookup("_id"))
	}
	return ids
}
