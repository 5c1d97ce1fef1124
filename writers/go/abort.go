package outgraph

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// How long an abort waits for the server. Without a response, the transaction is aborted in the driver alone.
const abortTimeout = 10 * time.Second

// refusedKey is the context key of the error after which the transaction of [InTransaction] cannot be committed.
type refusedKey struct{}

// abortOn aborts the caller's transaction after an error, so that it cannot be committed: documents may lack their
// events. It returns the error.
//
// It aborts the transaction on the server only. The session stays in the transaction until the caller ends it: after an
// abort by the driver, the caller's next writes with the session would run outside any transaction.
func abortOn(ctx context.Context, client *mongo.Client, err error) error {
	session := mongo.SessionFromContext(ctx)
	if err == nil || session == nil || !session.TransactionRunning() {
		return err
	}
	if refused, ok := ctx.Value(refusedKey{}).(*error); ok {
		*refused = err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	aborted := client.Database("admin").RunCommand(ctx, bson.D{{Key: "abortTransaction", Value: 1}}).Err()
	// An error from the server means that there is no such transaction: it was aborted before.
	if aborted != nil && (mongo.IsNetworkError(aborted) || mongo.IsTimeout(aborted)) {
		_ = session.AbortTransaction(ctx)
	}
	return err
}
