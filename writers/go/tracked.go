package outgraph

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Documents that are read, written and read again at a time: bounds the memory of UpdateMany and DeleteMany.
const chunkDocuments = 500

// Collection is a collection whose writes cannot forget their events: each verb writes the documents and records the
// events of those that changed, in one transaction. Results and options are the driver's own; after an error neither
// document nor event is left: a transaction that the verb joined cannot be committed any more, so return the error from
// it.
//
// Verbs whose changes cannot be told from their answers do not exist here: BulkWrite, FindOneAndReplace,
// FindOneAndDelete, Drop, Rename.
type Collection struct {
	aggregate  Aggregate
	db         *mongo.Database
	collection *mongo.Collection
	// The same, for inserts: it returns the ids as they are stored.
	inserting *mongo.Collection
}

// Track makes the aggregate's collection in db a tracked one. Its events stand in the outbox of the same database.
func Track(db *mongo.Database, aggregate Aggregate) *Collection {
	collection := db.Collection(aggregate.Collection)
	return &Collection{aggregate: aggregate, db: db, collection: collection, inserting: withExactIDs(collection)}
}

// InsertOne inserts a document. An id that is an object is returned as a [bson.D], in the order of its fields, also
// where the client decodes objects as maps.
func (c *Collection) InsertOne(ctx context.Context, document any, opts ...options.Lister[options.InsertOneOptions]) (*mongo.InsertOneResult, error) {
	var result *mongo.InsertOneResult
	err := c.track(ctx, func(ctx context.Context) (err error) {
		if result, err = c.inserting.InsertOne(ctx, document, opts...); err != nil {
			return c.failed("inserting", err)
		}
		return c.recordFrom(ctx, nil, []any{result.InsertedID})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// InsertMany inserts documents: all of them, or none. For their ids see [Collection.InsertOne].
func (c *Collection) InsertMany(ctx context.Context, documents any, opts ...options.Lister[options.InsertManyOptions]) (*mongo.InsertManyResult, error) {
	var result *mongo.InsertManyResult
	err := c.track(ctx, func(ctx context.Context) (err error) {
		if result, err = c.inserting.InsertMany(ctx, documents, opts...); err != nil {
			return c.failed("inserting", err)
		}
		for ids := range slices.Chunk(result.InsertedIDs, chunkDocuments) {
			if err := c.recordFrom(ctx, nil, ids); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// DeleteOne deletes the first document that matches.
func (c *Collection) DeleteOne(ctx context.Context, filter any, opts ...options.Lister[options.DeleteOneOptions]) (*mongo.DeleteResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	var result *mongo.DeleteResult
	err = c.track(ctx, func(ctx context.Context) error {
		before, err := c.read(ctx, filter, one(given.Hint, given.Let, nil))
		if err != nil {
			return err
		}
		result, err = c.collection.DeleteOne(ctx, withIDs(idsOf(before)), with(opts, func(o *options.DeleteOneOptions) { o.Hint = nil })...)
		if err != nil {
			return c.failed("deleting", err)
		}
		return c.recordDeleted(ctx, before, result)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// DeleteMany deletes every document that matches.
func (c *Collection) DeleteMany(ctx context.Context, filter any, opts ...options.Lister[options.DeleteManyOptions]) (*mongo.DeleteResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	var result *mongo.DeleteResult
	err = c.track(ctx, func(ctx context.Context) error {
		result = &mongo.DeleteResult{Acknowledged: true}
		ids, err := c.readIDs(ctx, filter, given.Hint, given.Let)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(ids, chunkDocuments) {
			before, err := c.readAll(ctx, chunk)
			if err != nil {
				return err
			}
			deleted, err := c.collection.DeleteMany(ctx, withIDs(chunk), with(opts, func(o *options.DeleteManyOptions) { o.Hint = nil })...)
			if err != nil {
				return c.failed("deleting", err)
			}
			if err := c.recordDeleted(ctx, before, deleted); err != nil {
				return err
			}
			result.DeletedCount += deleted.DeletedCount
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

func (c *Collection) track(ctx context.Context, work func(ctx context.Context) error) error {
	if session := mongo.SessionFromContext(ctx); session != nil && session.TransactionRunning() {
		// Before anything is written.
		if err := requireTransaction(ctx); err != nil {
			return err
		}
	}
	return abortOn(ctx, c.db.Client(), InTransaction(ctx, c.db.Client(), work))
}

// recordFrom reads the documents with these ids as they are now, and records an event for each that differs from
// before. Inserted documents are read back too: which bytes are stored depends on the client's registry and options,
// which the driver keeps to itself, and on the server, which fills in empty timestamps.
func (c *Collection) recordFrom(ctx context.Context, before []bson.Raw, ids []any) error {
	after, err := c.readAll(ctx, ids)
	if err != nil {
		return err
	}
	return c.record(ctx, before, after)
}

func (c *Collection) recordDeleted(ctx context.Context, before []bson.Raw, result *mongo.DeleteResult) error {
	if int(result.DeletedCount) != len(before) {
		return c.unreadable(int(result.DeletedCount), len(before))
	}
	return c.record(ctx, before, nil)
}

func (c *Collection) record(ctx context.Context, before, after []bson.Raw) error {
	changes, err := documentChanges(c.aggregate, before, after)
	if err != nil {
		return err
	}
	return recordEvents(ctx, c.db, c.aggregate, changes)
}

// unreadable is the fault of a write whose events would not be those of its documents.
func (c *Collection) unreadable(written, read int) error {
	return faultf(CodeUntracked,
		"%s: a write concerned %d documents, and %d of them could be read by their _id, so that their events cannot be recorded. Nothing was committed. "+
			"Filter by what does not change meanwhile (no $$NOW), and use an _id that the client's registry decodes and encodes as it is stored.",
		c.aggregate.Collection, written, read)
}

func (c *Collection) failed(doing string, err error) error {
	return fmt.Errorf("outgraph: %s in %s: %w", doing, c.aggregate.Collection, err)
}
