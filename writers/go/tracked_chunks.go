package outgraph

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	// The number of documents that one transaction takes. MongoDB aborts a transaction after
	// transactionLifetimeLimitSeconds, 60 by default, and earlier if it fills the server's cache.
	//
	// https://www.mongodb.com/docs/manual/reference/parameters/#mongodb-parameter-param.transactionLifetimeLimitSeconds
	maxDocuments = 20_000
	// Time limit of a transaction of many documents, which may be large, or the server slow.
	maxTransactionTime = 45 * time.Second
	// Bounds the memory: both states of a chunk's documents are kept until its commit.
	maxChunkSize = 10_000
)

// ErrInvalidCall is wrapped by the error of a call with wrong arguments, which wrote nothing.
//
//	if errors.Is(err, outgraph.ErrInvalidCall) { ... }
var ErrInvalidCall = errors.New("outgraph: invalid call")

// Committed is what the committed chunks of a write have written.
type Committed struct {
	Chunks        int64
	MatchedCount  int64
	ModifiedCount int64
	DeletedCount  int64
	// LastID is the _id of the last document: those that follow it in the order of _id are not written. It is empty
	// if there is no chunk.
	LastID bson.RawValue
}

// UpdateManyInChunks is [Collection.UpdateMany] for more documents than one transaction takes. It commits size
// documents at a time, each chunk in a transaction of its own with its events. Chunks follow each other in the order
// of _id, so that each document is updated at most once, whatever the update and others change meanwhile.
//
//	committed, err := people.UpdateManyInChunks(ctx, 1000, bson.M{}, bson.M{"$inc": bson.M{"visits": 1}})
//
// If a chunk fails after others were committed, the error is a [Fault] with [CodeUnfinished], and Committed says what
// was written. If the update can be repeated on a document that still matches, repeat the call. Otherwise add
// {"_id": {"$gt": committed.LastID}} to its filter. It refuses an upsert and a running transaction with
// [ErrInvalidCall].
func (c *Collection) UpdateManyInChunks(
	ctx context.Context, size int, filter, update any, opts ...options.Lister[options.UpdateManyOptions],
) (Committed, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err == nil && given.Upsert != nil && *given.Upsert {
		err = fmt.Errorf("%w: an update in chunks cannot upsert: use UpdateOne", ErrInvalidCall)
	}
	if err != nil {
		return Committed{}, err
	}
	write := c.updateManyWrite(update, opts)
	return c.commitChunks(ctx, size, filter, find(given.Hint, given.Let),
		func(ctx context.Context, before []bson.Raw) (Committed, error) {
			result, err := c.update(ctx, before, filter, nil, write)
			if err != nil {
				return Committed{}, err
			}
			if result.MatchedCount != int64(len(before)) {
				return Committed{}, c.unreadable(len(before), int(result.MatchedCount))
			}
			return Committed{ModifiedCount: result.ModifiedCount}, nil
		})
}

// DeleteManyInChunks is [Collection.DeleteMany] in chunks, as [Collection.UpdateManyInChunks].
//
//	committed, err := people.DeleteManyInChunks(ctx, 1000, bson.M{"city": "London"})
func (c *Collection) DeleteManyInChunks(
	ctx context.Context, size int, filter any, opts ...options.Lister[options.DeleteManyOptions],
) (Committed, error) {
	given, err := resolve(opts)
	if err == nil {
		err = refuseCollation(given.Collation)
	}
	if err != nil {
		return Committed{}, err
	}
	return c.commitChunks(ctx, size, filter, find(given.Hint, given.Let),
		func(ctx context.Context, before []bson.Raw) (Committed, error) {
			deleted, err := c.deleteAll(ctx, before, opts)
			return Committed{DeletedCount: deleted}, err
		})
}

func (c *Collection) commitChunks(
	ctx context.Context,
	size int,
	filter any,
	read *options.FindOptionsBuilder,
	write func(ctx context.Context, before []bson.Raw) (Committed, error),
) (Committed, error) {
	var committed Committed
	if size < 1 || size > maxChunkSize {
		return committed, fmt.Errorf("%w: the chunk size is %d, but must be from 1 to %d",
			ErrInvalidCall, size, maxChunkSize)
	}
	if session := mongo.SessionFromContext(ctx); session != nil && session.TransactionRunning() {
		return committed, fmt.Errorf("%w: chunks are committed in transactions of their own, so not in a running one: "+
			"use a context without it, or the method without chunks", ErrInvalidCall)
	}
	read.SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(size))
	for {
		var found []bson.Raw
		var chunk Committed
		err := c.track(ctx, func(ctx context.Context) (err error) {
			if found, err = c.read(ctx, after(filter, committed), read); err == nil && len(found) > 0 {
				chunk, err = write(ctx, found)
			}
			return err
		})
		switch {
		case err != nil && committed.Chunks > 0:
			return committed, &Fault{Code: CodeUnfinished, Err: err, Message: fmt.Sprintf(
				"%s: chunk %d failed, after %d chunks with %d documents were committed. See the cause, and continue "+
					"after LastID.",
				c.aggregate.Collection, committed.Chunks+1, committed.Chunks, committed.MatchedCount)}
		case err != nil:
			return committed, err
		}
		if len(found) > 0 {
			committed.Chunks++
			committed.MatchedCount += int64(len(found))
			committed.ModifiedCount += chunk.ModifiedCount
			committed.DeletedCount += chunk.DeletedCount
			committed.LastID = found[len(found)-1].Lookup("_id")
		}
		if len(found) < size {
			return committed, nil
		}
	}
}

// after returns the filter for documents that follow in the order of _id. Unlike {_id: {$gt: …}}, the expression also
// matches ids of the types that follow.
func after(filter any, committed Committed) any {
	if committed.Chunks == 0 {
		return filter
	}
	last := bson.D{{Key: "$literal", Value: committed.LastID}}
	return both(filter, bson.D{{Key: "$expr", Value: bson.D{{Key: "$gt", Value: bson.A{"$_id", last}}}}})
}

// eachChunk reads the documents that match in chunks, for one transaction that writes each. It refuses more documents
// than one transaction takes with [CodeTooManyDocuments].
func (c *Collection) eachChunk(
	ctx context.Context, filter any, read *options.FindOptionsBuilder, write func(before []bson.Raw) error,
) error {
	end := time.Now().Add(maxTransactionTime)
	found, err := c.read(ctx, filter, read.SetProjection(bson.D{{Key: "_id", Value: 1}}).SetLimit(maxDocuments+1))
	if err != nil {
		return err
	}
	if len(found) > maxDocuments {
		return c.tooMany("more than %d documents match, and one transaction takes no more", maxDocuments)
	}
	written := 0
	for ids := range slices.Chunk(idsOf(found), chunkDocuments) {
		if time.Now().After(end) {
			return c.tooMany("%d documents match, and %d of them took %s: MongoDB aborts a transaction after 60s "+
				"(transactionLifetimeLimitSeconds)", len(found), written, maxTransactionTime)
		}
		before, err := c.readAll(ctx, ids)
		if err == nil {
			err = write(before)
		}
		if err != nil {
			return err
		}
		written += len(ids)
	}
	return nil
}

func (c *Collection) tooMany(format string, args ...any) error {
	return faultf(CodeTooManyDocuments,
		"%s: %s. Nothing was committed. Use UpdateManyInChunks or DeleteManyInChunks (for example with 1000), which "+
			"commit each chunk in its own transaction, or write fewer documents at a time.",
		c.aggregate.Collection, fmt.Sprintf(format, args...))
}
