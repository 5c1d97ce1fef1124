package outgraph

import (
	"context"
	"errors"
	"slices"

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

// UpdateMany updates every document that matches. It refuses a collation with [CodeUntracked].
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
	var result *mongo.UpdateResult
	err = c.track(ctx, func(ctx context.Context) error {
		ids, err := c.readIDs(ctx, filter, given.Hint, given.Let)
		if err != nil {
			return err
		}
		result, err = c.updateChunks(ctx, ids, filter, update, given.Upsert, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

func (c *Collection) updateChunks(
	ctx context.Context,
	ids []any,
	filter, update any,
	upsert *bool,
	opts []options.Lister[options.UpdateManyOptions],
) (*mongo.UpdateResult, error) {
	write := func(ctx context.Context, target any, inserts bool) (*mongo.UpdateResult, error) {
		return c.collection.UpdateMany(ctx, target, update, with(opts, func(o *options.UpdateManyOptions) {
			if !inserts {
				o.Hint, o.Upsert = nil, nil
			}
		})...)
	}
	if len(ids) == 0 {
		return c.update(ctx, nil, filter, upsert, write)
	}
	sum := &mongo.UpdateResult{Acknowledged: true}
	for chunk := range slices.Chunk(ids, chunkDocuments) {
		before, err := c.readAll(ctx, chunk)
		if err != nil {
			return nil, err
		}
		result, err := c.update(ctx, before, filter, upsert, write)
		if err != nil {
			return nil, err
		}
		sum.MatchedCount += result.MatchedCount
		sum.ModifiedCount += result.ModifiedCount
	}
	return sum, nil
}

// FindOneAndUpdate updates the first document that matches. It returns the driver's result: the document before the
// update, or after it with [options.After]. The result holds the error. It refuses a collation with [CodeUntracked].
//
//	err := people.FindOneAndUpdate(ctx, bson.M{"_id": "ada"}, bson.M{"$inc": bson.M{"visits": 1}}).Decode(&before)
func (c *Collection) FindOneAndUpdate(
	ctx context.Context, filter, update any, opts ...options.Lister[options.FindOneAndUpdateOptions],
) *mongo.SingleResult {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return singleError(err)
	}
	var result *mongo.SingleResult
	err = c.track(ctx, func(ctx context.Context) error {
		before, err := c.read(ctx, filter, one(given.Hint, given.Let, given.Sort))
		if err != nil {
			return err
		}
		target, inserts := aim(before, filter, given.Upsert)
		if inserts {
			result, err = c.upsertOne(ctx, filter, update, given)
			return err
		}
		cleared := with(opts, func(o *options.FindOneAndUpdateOptions) {
			o.Hint, o.Sort, o.Upsert = nil, nil, nil
		})
		result = c.collection.FindOneAndUpdate(ctx, target, update, cleared...)
		if err := result.Err(); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return c.failed("updating", err)
		}
		return c.recordFrom(ctx, before, idsOf(before))
	})
	if err != nil {
		return singleError(err)
	}
	return result
}

// upsertOne is FindOneAndUpdate for a filter that matches nothing. It uses UpdateOne, because the driver's result of
// FindOneAndUpdate does not contain the id of an inserted document.
func (c *Collection) upsertOne(
	ctx context.Context, filter, update any, given options.FindOneAndUpdateOptions,
) (*mongo.SingleResult, error) {
	upsert := options.UpdateOne().SetUpsert(true)
	upsert.Opts = append(upsert.Opts, func(o *options.UpdateOneOptions) error {
		o.ArrayFilters, o.BypassDocumentValidation = given.ArrayFilters, given.BypassDocumentValidation
		o.Comment, o.Hint, o.Let = given.Comment, given.Hint, given.Let
		return nil
	})
	inserted, err := c.collection.UpdateOne(ctx, filter, update, upsert)
	if err != nil {
		return nil, c.failed("updating", err)
	}
	if inserted.UpsertedCount == 0 {
		return nil, c.unreadable(int(inserted.MatchedCount), 0)
	}
	id := []any{inserted.UpsertedID}
	if err := c.recordFrom(ctx, nil, id); err != nil {
		return nil, err
	}
	if given.ReturnDocument == nil || *given.ReturnDocument == options.Before {
		return singleError(mongo.ErrNoDocuments), nil
	}
	read := options.FindOne()
	if given.Projection != nil {
		read.SetProjection(given.Projection)
	}
	result := c.collection.FindOne(ctx, withIDs(id), read)
	if err := result.Err(); err != nil {
		return nil, c.failed("reading", err)
	}
	return result, nil
}

func singleError(err error) *mongo.SingleResult {
	return mongo.NewSingleResultFromDocument(bson.D{}, err, nil)
}
