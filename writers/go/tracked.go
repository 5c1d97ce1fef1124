package outgraph

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The number of documents that are read, written and read back at a time. It bounds the memory of UpdateMany and
// DeleteMany.
const chunkDocuments = 500

// Collection is a collection whose writes always record their events: each verb writes the documents, and records the
// events of those that changed, in one transaction. It takes the driver's options and returns the driver's results.
// Create it with [Track].
//
// Each verb that writes returns a [Fault] if the change cannot be recorded, or a wrapped error of the driver. After an
// error, neither document nor event is written. A transaction that the verb joined can no longer be committed: return
// the error from the transaction.
//
// Verbs whose results do not identify their changes do not exist here: Drop, Rename.
type Collection struct {
	aggregate  Aggregate
	db         *mongo.Database
	collection *mongo.Collection
	// The same collection, for inserts: it returns the ids as they are stored.
	inserting *mongo.Collection
}

// Track returns the aggregate's collection in db as a tracked collection. Its events go to the outbox of the same
// database.
//
//	people := outgraph.Track(db, outgraph.Aggregate{Type: "person", Collection: "people"})
//	_, err := people.InsertOne(ctx, bson.M{"_id": "ada", "name": "Ada"})
func Track(db *mongo.Database, aggregate Aggregate) *Collection {
	collection := db.Collection(aggregate.Collection)
	return &Collection{aggregate: aggregate, db: db, collection: collection, inserting: withExactIDs(collection)}
}

// InsertOne inserts a document. It returns an id that is an object as a [bson.D], in the order of its fields, even if
// the client decodes objects as maps.
//
//	_, err := people.InsertOne(ctx, bson.M{"_id": "ada", "name": "Ada"})
func (c *Collection) InsertOne(
	ctx context.Context, document any, opts ...options.Lister[options.InsertOneOptions],
) (*mongo.InsertOneResult, error) {
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

// InsertMany inserts all documents, or none. It returns their ids as [Collection.InsertOne] does.
//
//	_, err := people.InsertMany(ctx, []bson.M{{"_id": "ada"}, {"_id": "bob"}})
func (c *Collection) InsertMany(
	ctx context.Context, documents any, opts ...options.Lister[options.InsertManyOptions],
) (*mongo.InsertManyResult, error) {
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

// DeleteOne deletes the first document that matches. It refuses a collation with [CodeUntracked].
//
//	_, err := people.DeleteOne(ctx, bson.M{"_id": "ada"})
func (c *Collection) DeleteOne(
	ctx context.Context, filter any, opts ...options.Lister[options.DeleteOneOptions],
) (*mongo.DeleteResult, error) {
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
		withoutHint := with(opts, func(o *options.DeleteOneOptions) { o.Hint = nil })
		result, err = c.collection.DeleteOne(ctx, withIDs(idsOf(before)), withoutHint...)
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

// DeleteMany deletes every document that matches, in one transaction. It refuses a collation with [CodeUntracked], and
// more documents than one transaction takes with [CodeTooManyDocuments]: see [Collection.DeleteManyInChunks].
//
//	_, err := people.DeleteMany(ctx, bson.M{"city": "London"})
func (c *Collection) DeleteMany(
	ctx context.Context, filter any, opts ...options.Lister[options.DeleteManyOptions],
) (*mongo.DeleteResult, error) {
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
		return c.eachChunk(ctx, filter, find(given.Hint, given.Let), func(before []bson.Raw) error {
			deleted, err := c.deleteAll(ctx, before, opts)
			result.DeletedCount += deleted
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// deleteAll deletes the documents that were just read, and records it.
func (c *Collection) deleteAll(
	ctx context.Context, before []bson.Raw, opts []options.Lister[options.DeleteManyOptions],
) (int64, error) {
	withoutHint := with(opts, func(o *options.DeleteManyOptions) { o.Hint = nil })
	deleted, err := c.collection.DeleteMany(ctx, withIDs(idsOf(before)), withoutHint...)
	if err != nil {
		return 0, c.failed("deleting", err)
	}
	return deleted.DeletedCount, c.recordDeleted(ctx, before, deleted)
}

func (c *Collection) track(ctx context.Context, work func(ctx context.Context) error) error {
	if session := mongo.SessionFromContext(ctx); session != nil && session.TransactionRunning() {
		// Refuse before anything is written.
		if err := requireTransaction(ctx); err != nil {
			return err
		}
	}
	return abortOn(ctx, c.db.Client(), InTransaction(ctx, c.db.Client(), work))
}

// recordFrom reads the current documents with these ids, and records an event for each that differs from before. It
// reads inserted documents back too. The stored bytes depend on the client's registry and options, which the driver
// does not expose, and on the server, which fills in empty timestamps.
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
	changes, err := documentChanges(c.aggregate, before, after, recordsUnchanged(ctx))
	if err != nil {
		return err
	}
	return recordEvents(ctx, c.db, c.aggregate, changes)
}

// unreadable returns the fault of a write whose events would not match its documents.
func (c *Collection) unreadable(written, read int) error {
	return faultf(CodeUntracked,
		"%s: a write affected %d documents, and %d of them could be read back by their _id, so their events cannot "+
			"be recorded. Nothing was committed. Filter by values that do not change meanwhile (no $$NOW), and use "+
			"an _id that the client's registry decodes and encodes as it is stored.",
		c.aggregate.Collection, written, read)
}

func (c *Collection) failed(doing string, err error) error {
	return fmt.Errorf("outgraph: %s in %s: %w", doing, c.aggregate.Collection, err)
}
