package outgraph

import (
	"context"
	"reflect"
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

// Aggregate is the driver's own, for pipelines that only read: one with $merge or $out is refused with [CodeUntracked],
// because its writes would have no events.
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

// readAll reads the documents with these ids, and refuses unless it finds each of them: an event would be missing.
func (c *Collection) readAll(ctx context.Context, ids []any) ([]bson.Raw, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// Encoded once: an id that was decoded to a map has its fields in another order each time.
	exact := make([]any, 0, len(ids))
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		encoded, err := bson.Marshal(bson.D{{Key: "_id", Value: id}})
		if err != nil {
			return nil, c.failed("reading", err)
		}
		exact = append(exact, bson.Raw(encoded).Lookup("_id"))
		wanted[idKey(encoded)] = reflect.ValueOf(id).Kind() != reflect.Map
	}
	documents, err := c.read(ctx, withIDs(exact))
	if err != nil {
		return nil, err
	}
	found := 0
	for _, document := range documents {
		if wanted[idKey(document)] {
			found++
		}
	}
	if found != len(ids) {
		return nil, c.unreadable(len(ids), found)
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

// refuseCollation: which documents a write with a collation of its own changes cannot be told by their ids, because it
// compares ids too.
func refuseCollation(collation *options.Collation) error {
	if collation == nil {
		return nil
	}
	return faultf(CodeUntracked, "A write with a collation could change documents without recording events: read with the collation, and write by _id; or give the collection one.")
}

// aim is what an update writes to: the documents that were found, if they still match (the filter stays, because $ in
// an update takes its place from it), or, where there are none and an upsert is wanted, a new one. What else the filter
// would match by now was not read before.
func aim(before []bson.Raw, filter any, upsert *bool) (target any, inserts bool) {
	if len(before) == 0 && upsert != nil && *upsert {
		return filter, true
	}
	return both(withIDs(idsOf(before)), filter), false
}

// with are the options with a change to them.
func with[Options any](opts []options.Lister[Options], change func(*Options)) []options.Lister[Options] {
	return append(slices.Clone(opts), changed[Options](change))
}

type changed[Options any] func(*Options)

func (change changed[Options]) List() []func(*Options) error {
	return []func(*Options) error{func(o *Options) error { change(o); return nil }}
}

// withExactIDs is the collection with options under which the driver returns the id of an inserted document as it is
// stored: an object that was decoded to a map has lost the order of its fields. How documents are encoded stays what it
// is. The driver keeps a client's options to itself, so they are read by reflection, and only here; should a version of
// the driver move them, the collection stays as it is, and a test fails.
func withExactIDs(collection *mongo.Collection) *mongo.Collection {
	given := reflect.ValueOf(collection).Elem().FieldByName("bsonOpts")
	if given.Kind() != reflect.Pointer || given.IsNil() || given.Type() != reflect.TypeFor[*options.BSONOptions]() {
		return collection
	}
	exact := &options.BSONOptions{}
	for index := range given.Elem().NumField() {
		if field := given.Elem().Field(index); field.Kind() == reflect.Bool {
			reflect.ValueOf(exact).Elem().Field(index).SetBool(field.Bool())
		}
	}
	exact.DefaultDocumentM, exact.DefaultDocumentMap, exact.BinaryAsSlice = false, false, false
	return collection.Clone(options.Collection().SetBSONOptions(exact))
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
