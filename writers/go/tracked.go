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

// Collection is a collection whose writes cannot forget their events: each verb writes the documents and records the events of those that changed, in one transaction. Results and options are the
// driver's own; after an error neither document nor event is left. Return the error of a verb from the transaction that it joined.
//
// Verbs whose changes cannot be told from their answers do not exist here: BulkWrite, FindOneAndReplace, FindOneAndDelete, Drop, Rename.
type Collection struct {
	aggregate  Aggregate
	db         *mongo.Database
	collection *mongo.Collection
}

// Track makes the aggregate's collection in db a tracked one. Its events stand in the outbox of the same database.
func Track(db *mongo.Database, aggregate Aggregate) *Collection {
	return &Collection{aggregate: aggregate, db: db, collection: db.Collection(aggregate.Collection)}
}

// InsertOne inserts a document.
func (c *Collection) InsertOne(ctx context.Context, document any, opts ...options.Lister[options.InsertOneOptions]) (*mongo.InsertOneResult, error) {
	var result *mongo.InsertOneResult
	err := c.track(ctx, func(ctx context.Context) (err error) {
		if result, err = c.collection.InsertOne(ctx, document, opts...); err != nil {
			return c.failed("inserting", err)
		}
		return c.recordFrom(ctx, nil, []any{result.InsertedID})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// InsertMany inserts documents: all of them, or none.
func (c *Collection) InsertMany(ctx context.Context, documents any, opts ...options.Lister[options.InsertManyOptions]) (*mongo.InsertManyResult, error) {
	var result *mongo.InsertManyResult
	err := c.track(ctx, func(ctx context.Context) (err error) {
		if result, err = c.collection.InsertMany(ctx, documents, opts...); err != nil {
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
		target := filter
		if len(before) > 0 {
			target = withIDs(idsOf(before))
		}
		if result, err = c.collection.DeleteOne(ctx, target, opts...); err != nil {
			return c.failed("deleting", err)
		}
		if result.DeletedCount == 0 {
			return nil
		}
		return c.recordFrom(ctx, before, nil)
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
			before, err := c.read(ctx, withIDs(chunk))
			if err != nil {
				return err
			}
			deleted, err := c.collection.DeleteMany(ctx, withIDs(chunk), opts...)
			if err != nil {
				return c.failed("deleting", err)
			}
			if err := c.recordFrom(ctx, before, nil); err != nil {
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
	return InTransaction(ctx, c.db.Client(), work)
}

// recordFrom reads the documents with these ids as they are now, and records an event for each that differs from before. Inserted documents are read back too: which bytes are stored depends on
// the client's registry and options, which the driver keeps to itself, and on the server, which fills in empty timestamps.
func (c *Collection) recordFrom(ctx context.Context, before []bson.Raw, ids []any) error {
	var after []bson.Raw
	if len(ids) > 0 {
		var err error
		if after, err = c.read(ctx, withIDs(ids)); err != nil {
			return err
		}
	}
	changes, err := documentChanges(c.aggregate, before, after)
	if err != nil {
		return err
	}
	return RecordEvents(ctx, c.db, c.aggregate, changes)
}

func (c *Collection) failed(doing string, err error) error {
	return fmt.Errorf("outgraph: %s in %s: %w", doing, c.aggregate.Collection, err)
}
