package outgraph

import (
	"context"
	"reflect"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Find calls the driver's method and returns its errors.
//
//	cursor, err := people.Find(ctx, bson.M{"city": "London"})
func (c *Collection) Find(
	ctx context.Context, filter any, opts ...options.Lister[options.FindOptions],
) (*mongo.Cursor, error) {
	return c.collection.Find(ctx, filter, opts...)
}

// FindOne calls the driver's method. The result holds its error.
//
//	err := people.FindOne(ctx, bson.M{"_id": "ada"}).Decode(&ada)
func (c *Collection) FindOne(
	ctx context.Context, filter any, opts ...options.Lister[options.FindOneOptions],
) *mongo.SingleResult {
	return c.collection.FindOne(ctx, filter, opts...)
}

// CountDocuments calls the driver's method and returns its errors.
//
//	count, err := people.CountDocuments(ctx, bson.M{"city": "London"})
func (c *Collection) CountDocuments(
	ctx context.Context, filter any, opts ...options.Lister[options.CountOptions],
) (int64, error) {
	return c.collection.CountDocuments(ctx, filter, opts...)
}

// Aggregate calls the driver's method, for pipelines that only read. It refuses a pipeline with $merge or $out with
// [CodeUntracked], because their writes would have no events.
//
//	cursor, err := people.Aggregate(ctx, mongo.Pipeline{{{Key: "$sortByCount", Value: "$city"}}})
func (c *Collection) Aggregate(
	ctx context.Context, pipeline any, opts ...options.Lister[options.AggregateOptions],
) (*mongo.Cursor, error) {
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
					"A pipeline with %s would write without recording events: read with the pipeline, and write with "+
						"UpdateOne or InsertMany.", writing)
			}
		}
	}
	return c.collection.Aggregate(ctx, pipeline, opts...)
}

// By default, a server's first answer has 101 documents only. It has never more than 16 MB.
const batchSize = 100_000

// read returns the stored bytes of the documents.
func (c *Collection) read(
	ctx context.Context, filter any, opts ...options.Lister[options.FindOptions],
) ([]bson.Raw, error) {
	cursor, err := c.collection.Find(ctx, filter, append(opts, options.Find().SetBatchSize(batchSize))...)
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

// readAll reads the documents with these ids. It fails unless it finds each of them: otherwise an event would be
// missing.
func (c *Collection) readAll(ctx context.Context, ids []any) ([]bson.Raw, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	// Encode each id once: an id that was decoded to a map has its fields in another order each time.
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

// find returns the options of a read with the hint and the let of a write.
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

// one returns the options of a read of the document that a write with these options would change.
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

// refuseCollation refuses a write with a collation of its own. The library identifies changed documents by their ids,
// and the collation would compare the ids too.
func refuseCollation(collation *options.Collation) error {
	if collation == nil {
		return nil
	}
	return faultf(CodeUntracked,
		"A write with a collation could change documents without recording events: read with the collation, and "+
			"write by _id; or give the collection one.")
}

// aim returns the target of an update: the documents that were found, if they still match, or a new document if there
// are none and the update is an upsert. The target includes the filter, because $ in an update gets its position from
// it. It excludes documents that match only now: their state before the update was not read.
func aim(before []bson.Raw, filter any, upsert *bool) (target any, inserts bool) {
	if len(before) == 0 && upsert != nil && *upsert {
		return filter, true
	}
	return both(withIDs(idsOf(before)), filter), false
}

// with returns the options with a change.
func with[Options any](opts []options.Lister[Options], change func(*Options)) []options.Lister[Options] {
	return append(slices.Clone(opts), changed[Options](change))
}

type changed[Options any] func(*Options)

func (change changed[Options]) List() []func(*Options) error {
	return []func(*Options) error{func(o *Options) error { change(o); return nil }}
}

// withExactIDs returns the collection with options that make the driver return the id of an inserted document as it is
// stored: an object that was decoded to a map loses the order of its fields. The encoding of documents does not change.
// The driver does not expose a client's options, so this function, and no other, reads them by reflection. If a version
// of the driver moves them, the collection is returned unchanged, and a test fails.
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
