package outgraph

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

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
	if c.isUnread(ctx, update, given.Upsert) {
		var result *mongo.SingleResult
		err := c.trackUnread(ctx, func(ctx context.Context, collection *mongo.Collection) error {
			result = collection.FindOneAndUpdate(ctx, filter, update, opts...)
			return c.updating(result)
		})
		return resultOr(result, err)
	}
	return c.findOneAnd(ctx, filter, findOneAnd{
		first:  one(given.Hint, given.Let, given.Sort),
		upsert: given.Upsert,
		write: func(ctx context.Context, target any) *mongo.SingleResult {
			return c.collection.FindOneAndUpdate(ctx, target, update,
				with(opts, func(o *options.FindOneAndUpdateOptions) { o.Hint, o.Sort, o.Upsert = nil, nil, nil })...)
		},
		insert: func(ctx context.Context) (*mongo.UpdateResult, error) {
			upsert := options.UpdateOne().SetUpsert(true)
			upsert.Opts = append(upsert.Opts, func(o *options.UpdateOneOptions) error {
				o.ArrayFilters, o.BypassDocumentValidation = given.ArrayFilters, given.BypassDocumentValidation
				o.Comment, o.Hint, o.Let = given.Comment, given.Hint, given.Let
				return nil
			})
			return c.collection.UpdateOne(ctx, filter, update, upsert)
		},
		returns:    given.ReturnDocument,
		projection: given.Projection,
	})
}

// FindOneAndReplace replaces the first document that matches. It returns the document before or after its replacement,
// as [Collection.FindOneAndUpdate] does.
//
//	err := people.FindOneAndReplace(ctx, bson.M{"_id": "ada"}, bson.M{"name": "Ada"}).Decode(&before)
func (c *Collection) FindOneAndReplace(
	ctx context.Context, filter, replacement any, opts ...options.Lister[options.FindOneAndReplaceOptions],
) *mongo.SingleResult {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return singleError(err)
	}
	return c.findOneAnd(ctx, filter, findOneAnd{
		first:  one(given.Hint, given.Let, given.Sort),
		upsert: given.Upsert,
		write: func(ctx context.Context, target any) *mongo.SingleResult {
			return c.collection.FindOneAndReplace(ctx, target, replacement,
				with(opts, func(o *options.FindOneAndReplaceOptions) { o.Hint, o.Sort, o.Upsert = nil, nil, nil })...)
		},
		insert: func(ctx context.Context) (*mongo.UpdateResult, error) {
			upsert := options.Replace().SetUpsert(true)
			upsert.Opts = append(upsert.Opts, func(o *options.ReplaceOptions) error {
				o.BypassDocumentValidation = given.BypassDocumentValidation
				o.Comment, o.Hint, o.Let = given.Comment, given.Hint, given.Let
				return nil
			})
			return c.collection.ReplaceOne(ctx, filter, replacement, upsert)
		},
		returns:    given.ReturnDocument,
		projection: given.Projection,
	})
}

// findOneAnd is an update or a replacement that returns the document.
type findOneAnd struct {
	first  *options.FindOptionsBuilder
	upsert *bool
	write  func(ctx context.Context, target any) *mongo.SingleResult
	// insert upserts with a method whose result, unlike that of write, contains the id of the new document.
	insert     func(ctx context.Context) (*mongo.UpdateResult, error)
	returns    *options.ReturnDocument
	projection any
}

func (c *Collection) findOneAnd(ctx context.Context, filter any, call findOneAnd) *mongo.SingleResult {
	var result *mongo.SingleResult
	err := c.track(ctx, func(ctx context.Context) error {
		before, err := c.read(ctx, filter, call.first)
		if err != nil {
			return err
		}
		target, inserts := aim(before, filter, call.upsert)
		if inserts {
			result, err = c.upsertOne(ctx, call)
			return err
		}
		result = call.write(ctx, target)
		if err := c.updating(result); err != nil {
			return err
		}
		return c.recordFrom(ctx, before, idsOf(before))
	})
	return resultOr(result, err)
}

// upsertOne is findOneAnd for a filter that matches nothing.
func (c *Collection) upsertOne(ctx context.Context, call findOneAnd) (*mongo.SingleResult, error) {
	inserted, err := call.insert(ctx)
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
	if call.returns == nil || *call.returns == options.Before {
		return singleError(mongo.ErrNoDocuments), nil
	}
	read := options.FindOne()
	if call.projection != nil {
		read.SetProjection(call.projection)
	}
	result := c.collection.FindOne(ctx, withIDs(id), read)
	if err := result.Err(); err != nil {
		return nil, c.failed("reading", err)
	}
	return result, nil
}

// FindOneAndDelete deletes the first document that matches and returns it. The result holds the error. It refuses a
// collation with [CodeUntracked].
//
//	err := people.FindOneAndDelete(ctx, bson.M{"_id": "ada"}).Decode(&deleted)
func (c *Collection) FindOneAndDelete(
	ctx context.Context, filter any, opts ...options.Lister[options.FindOneAndDeleteOptions],
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
		cleared := with(opts, func(o *options.FindOneAndDeleteOptions) { o.Hint, o.Sort = nil, nil })
		result = c.collection.FindOneAndDelete(ctx, withIDs(idsOf(before)), cleared...)
		deleted := &mongo.DeleteResult{DeletedCount: 1}
		switch err := result.Err(); {
		case errors.Is(err, mongo.ErrNoDocuments):
			deleted.DeletedCount = 0
		case err != nil:
			return c.failed("deleting", err)
		}
		return c.recordDeleted(ctx, before, deleted)
	})
	return resultOr(result, err)
}

// updating returns the error of a result, unless it is that nothing matched.
func (c *Collection) updating(result *mongo.SingleResult) error {
	if err := result.Err(); err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return c.failed("updating", err)
	}
	return nil
}

func resultOr(result *mongo.SingleResult, err error) *mongo.SingleResult {
	if err != nil {
		return singleError(err)
	}
	return result
}

func singleError(err error) *mongo.SingleResult {
	return mongo.NewSingleResultFromDocument(bson.D{}, err, nil)
}
