package outgraph

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// UpdateOne updates the first document that matches. It refuses a collation with [CodeUntracked].
//
//	_, err := people.UpdateOne(ctx, bson.M{"_id": "ada"}, bson.M{"$set": bson.M{"city": "London"}})
func (c *Collection) UpdateOne(
	ctx context.Context, filter, update any, opts ...options.Lister[options.UpdateOneOptions],
) (*mongo.UpdateResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	// A server before 8.0 refuses an order.
	if given.Sort == nil && c.isUnread(ctx, update, given.Upsert) {
		var result *mongo.UpdateResult
		err := c.trackUnread(ctx, func(ctx context.Context, collection *mongo.Collection) (err error) {
			if result, err = collection.UpdateOne(ctx, filter, update, opts...); err != nil {
				return c.failed("updating", err)
			}
			return nil
		})
		return result, err
	}
	write := func(ctx context.Context, target any, inserts bool) (*mongo.UpdateResult, error) {
		return c.collection.UpdateOne(ctx, target, update, with(opts, func(o *options.UpdateOneOptions) {
			if o.Sort = nil; !inserts {
				o.Hint, o.Upsert = nil, nil
			}
		})...)
	}
	return c.writeOne(ctx, filter, one(given.Hint, given.Let, given.Sort), given.Upsert, write)
}

// ReplaceOne replaces the first document that matches. It refuses a collation with [CodeUntracked].
//
//	_, err := people.ReplaceOne(ctx, bson.M{"_id": "ada"}, bson.M{"name": "Ada"}, options.Replace().SetUpsert(true))
func (c *Collection) ReplaceOne(
	ctx context.Context, filter, replacement any, opts ...options.Lister[options.ReplaceOptions],
) (*mongo.UpdateResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	write := func(ctx context.Context, target any, inserts bool) (*mongo.UpdateResult, error) {
		return c.collection.ReplaceOne(ctx, target, replacement, with(opts, func(o *options.ReplaceOptions) {
			if o.Sort = nil; !inserts {
				o.Hint, o.Upsert = nil, nil
			}
		})...)
	}
	return c.writeOne(ctx, filter, one(given.Hint, given.Let, given.Sort), given.Upsert, write)
}

// write runs an update on its target. An update that inserts needs the caller's hint; for any other, the read before it
// has used the hint.
type write func(ctx context.Context, target any, inserts bool) (*mongo.UpdateResult, error)

// writeOne resolves the filter to one document first, so that its state before and after can be compared.
func (c *Collection) writeOne(
	ctx context.Context, filter any, first *options.FindOptionsBuilder, upsert *bool, write write,
) (*mongo.UpdateResult, error) {
	var result *mongo.UpdateResult
	err := c.track(ctx, func(ctx context.Context) error {
		before, err := c.read(ctx, filter, first)
		if err != nil {
			return err
		}
		result, err = c.update(ctx, before, filter, upsert, write)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// update writes to the documents that were just read, or inserts one, and records the events.
func (c *Collection) update(
	ctx context.Context, before []bson.Raw, filter any, upsert *bool, write write,
) (*mongo.UpdateResult, error) {
	target, inserts := aim(before, filter, upsert)
	result, err := write(ctx, target, inserts)
	switch {
	case err != nil:
		return nil, c.failed("updating", err)
	case result.UpsertedCount > 0:
		return result, c.recordFrom(ctx, nil, []any{result.UpsertedID})
	case inserts && result.MatchedCount > 0:
		return nil, c.unreadable(int(result.MatchedCount), 0)
	case result.ModifiedCount > 0:
		return result, c.recordFrom(ctx, before, idsOf(before))
	}
	return result, nil
}

// UpdateMany updates every document that matches, in one transaction. It refuses a collation with [CodeUntracked], and
// more documents than one transaction takes with [CodeTooManyDocuments]: see [Collection.UpdateManyInChunks].
//
//	_, err := people.UpdateMany(ctx, bson.M{"city": nil}, bson.M{"$set": bson.M{"city": "London"}})
func (c *Collection) UpdateMany(
	ctx context.Context, filter, update any, opts ...options.Lister[options.UpdateManyOptions],
) (*mongo.UpdateResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	write := c.updateManyWrite(update, opts)
	var sum *mongo.UpdateResult
	err = c.track(ctx, func(ctx context.Context) (err error) {
		sum = nil
		// The driver does not retry an update of many documents outside a transaction.
		if c.isUnread(ctx, update, given.Upsert) {
			if sum, err = c.collection.UpdateMany(ctx, filter, update, opts...); err != nil {
				return c.failed("updating", err)
			}
			return nil
		}
		err = c.eachChunk(ctx, filter, find(given.Hint, given.Let), func(before []bson.Raw) error {
			result, err := c.update(ctx, before, filter, nil, write)
			if err != nil {
				return err
			}
			if sum == nil {
				sum = &mongo.UpdateResult{Acknowledged: true}
			}
			sum.MatchedCount += result.MatchedCount
			sum.ModifiedCount += result.ModifiedCount
			return nil
		})
		if err == nil && sum == nil {
			sum, err = c.update(ctx, nil, filter, given.Upsert, write)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return sum, nil
}

func (c *Collection) updateManyWrite(update any, opts []options.Lister[options.UpdateManyOptions]) write {
	return func(ctx context.Context, target any, inserts bool) (*mongo.UpdateResult, error) {
		return c.collection.UpdateMany(ctx, target, update, with(opts, func(o *options.UpdateManyOptions) {
			if !inserts {
				o.Hint, o.Upsert = nil, nil
			}
		})...)
	}
}
