package outgraph

import (
	"context"
	"errors"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// UpdateOne updates the first document that matches.
func (c *Collection) UpdateOne(ctx context.Context, filter, update any, opts ...options.Lister[options.UpdateOneOptions]) (*mongo.UpdateResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	return c.writeOne(ctx, filter, one(given.Hint, given.Let, given.Sort), func(ctx context.Context, target any) (*mongo.UpdateResult, error) {
		return c.collection.UpdateOne(ctx, target, update, opts...)
	})
}

// ReplaceOne replaces the first document that matches.
func (c *Collection) ReplaceOne(ctx context.Context, filter, replacement any, opts ...options.Lister[options.ReplaceOptions]) (*mongo.UpdateResult, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return nil, err
	}
	return c.writeOne(ctx, filter, one(given.Hint, given.Let, given.Sort), func(ctx context.Context, target any) (*mongo.UpdateResult, error) {
		return c.collection.ReplaceOne(ctx, target, replacement, opts...)
	})
}

// writeOne resolves the filter to one document first, so that its state before and after can be compared.
func (c *Collection) writeOne(ctx context.Context, filter any, first *options.FindOptionsBuilder, write func(ctx context.Context, target any) (*mongo.UpdateResult, error)) (*mongo.UpdateResult, error) {
	var result *mongo.UpdateResult
	err := c.track(ctx, func(ctx context.Context) error {
		before, err := c.read(ctx, filter, first)
		if err != nil {
			return err
		}
		if result, err = write(ctx, targetOf(before, filter)); err != nil {
			return c.failed("updating", err)
		}
		switch {
		case result.UpsertedID != nil:
			return c.recordFrom(ctx, nil, []any{result.UpsertedID})
		case result.ModifiedCount > 0:
			return c.recordFrom(ctx, before, idsOf(before))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// UpdateMany updates every document that matches.
func (c *Collection) UpdateMany(ctx context.Context, filter, update any, opts ...options.Lister[options.UpdateManyOptions]) (*mongo.UpdateResult, error) {
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
		if len(ids) == 0 {
			if result, err = c.collection.UpdateMany(ctx, filter, update, opts...); err != nil {
				return c.failed("updating", err)
			}
			if result.UpsertedID == nil {
				return nil
			}
			return c.recordFrom(ctx, nil, []any{result.UpsertedID})
		}
		result, err = c.updateChunks(ctx, ids, filter, update, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

func (c *Collection) updateChunks(ctx context.Context, ids []any, filter, update any, opts []options.Lister[options.UpdateManyOptions]) (*mongo.UpdateResult, error) {
	sum := &mongo.UpdateResult{Acknowledged: true}
	opts = append(slices.Clone(opts), options.UpdateMany().SetUpsert(false))
	for chunk := range slices.Chunk(ids, chunkDocuments) {
		before, err := c.read(ctx, withIDs(chunk))
		if err != nil {
			return nil, err
		}
		// The filter stays, because $ in an update takes its place from it.
		result, err := c.collection.UpdateMany(ctx, both(withIDs(chunk), filter), update, opts...)
		if err != nil {
			return nil, c.failed("updating", err)
		}
		if err := c.recordFrom(ctx, before, chunk); err != nil {
			return nil, err
		}
		sum.MatchedCount += result.MatchedCount
		sum.ModifiedCount += result.ModifiedCount
	}
	return sum, nil
}

// FindOneAndUpdate updates the first document that matches, and answers as the driver does: with the document before the update, or after it with [options.After].
func (c *Collection) FindOneAndUpdate(ctx context.Context, filter, update any, opts ...options.Lister[options.FindOneAndUpdateOptions]) *mongo.SingleResult {
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
		if len(before) == 0 && given.Upsert != nil && *given.Upsert {
			result, err = c.upsertOne(ctx, filter, update, given)
			return err
		}
		result = c.collection.FindOneAndUpdate(ctx, targetOf(before, filter), update, opts...)
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

// upsertOne is FindOneAndUpdate where nothing matches: by another command, because the driver's answer to that one does not tell the id of what was inserted.
func (c *Collection) upsertOne(ctx context.Context, filter, update any, given options.FindOneAndUpdateOptions) (*mongo.SingleResult, error) {
	upsert := options.UpdateOne().SetUpsert(true)
	upsert.Opts = append(upsert.Opts, func(o *options.UpdateOneOptions) error {
		o.ArrayFilters, o.BypassDocumentValidation, o.Comment, o.Hint, o.Let = given.ArrayFilters, given.BypassDocumentValidation, given.Comment, given.Hint, given.Let
		return nil
	})
	inserted, err := c.collection.UpdateOne(ctx, filter, update, upsert)
	if err != nil {
		return nil, c.failed("updating", err)
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
